//! Digest against the RFCs' own figures, and both sides against each other.

use std::collections::BTreeMap;
use std::time::Duration;

use super::*;
use crate::Instant;

fn mufasa(algorithm: Algorithm, response: &str, cnonce: &str) -> Credentials {
    Credentials {
        username: "Mufasa".to_owned(),
        realm: "http-auth@example.org".to_owned(),
        nonce: "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v".to_owned(),
        uri: "/dir/index.html".to_owned(),
        response: response.to_owned(),
        algorithm,
        protection: Some(Protection {
            cnonce: cnonce.to_owned(),
            count: 1,
        }),
        opaque: None,
    }
}

const CNONCE: &str = "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ";

// The figures are RFC 7616 §3.9.1's: whoever hashes anything else cannot arrive at them.
#[test]
fn the_examples_of_rfc_7616_are_proven() {
    let get = Method::from("GET");
    let md5 = "8ca523f5e9506fed4657c9700eebdbec";
    let sha = "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1";
    assert!(mufasa(Algorithm::Md5, md5, CNONCE).prove("Circle of Life", &get));
    assert!(mufasa(Algorithm::Sha256, sha, CNONCE).prove("Circle of Life", &get));
    assert!(!mufasa(Algorithm::Sha256, sha, CNONCE).prove("Circle of Lies", &get));
    assert!(!mufasa(Algorithm::Md5, md5, CNONCE).prove("Circle of Life", &Method::Invite));
}

// The figure is that of RFC 2069 §2.4 as its errata correct it.
#[test]
fn credentials_without_qop_are_hashed_as_of_old() {
    let old = Credentials {
        realm: "testrealm@host.com".to_owned(),
        nonce: "dcd98b7102dd2f0e8b11d0f600bfb0c093".to_owned(),
        protection: None,
        ..mufasa(Algorithm::Md5, "1949323746fe6a43ef61f9606e7febea", "")
    };
    assert!(old.prove("CircleOfLife", &Method::from("GET")));
}

#[test]
fn what_is_written_is_read_back() {
    let challenge = Challenge {
        realm: "a \"b\" \\c".to_owned(),
        nonce: "n".to_owned(),
        algorithm: Algorithm::Sha256,
        protects: true,
        opaque: Some("o,p".to_owned()),
        stale: true,
    };
    assert_eq!(
        Challenge::parse(&challenge.to_string()),
        Some(challenge.clone())
    );
    let protection = Protection {
        cnonce: "c".to_owned(),
        count: 0x1a,
    };
    let answer =
        Credentials::answering(&challenge, ("u", "p"), (&Method::Bye, "sip:x"), protection);
    assert!(answer.to_string().contains("nc=0000001a"));
    assert_eq!(Credentials::parse(&answer.to_string()), Some(answer));
}

// Each lacks one thing that a client or a server cannot do without, or asks for what neither supports.
#[test]
fn what_cannot_be_answered_is_no_challenge() {
    for text in [
        "Basic realm=\"x\"",
        "Digest realm=\"x\"",
        "Digest nonce=\"x\"",
        "Digest realm=\"x\", nonce=\"y\", algorithm=SHA-512-256",
        "Digest realm=\"x\", nonce=\"y\", algorithm=MD5-sess",
        "Digest realm=\"x\", nonce=\"y\", qop=\"auth-int\"",
        "Digest realm=\"x\", nonce=\"y\", nonce=\"z\"",
        "Digest realm=\"x, nonce=\"y\"",
        "Digest",
        "",
    ] {
        assert_eq!(Challenge::parse(text), None, "{text}");
    }
    let good =
        Challenge::parse("digest REALM=\"x\" , nonce = \"y\", qop=\"auth-int, AUTH\", foo=bar");
    assert_eq!(
        good.map(|it| (it.protects, it.algorithm)),
        Some((true, Algorithm::Md5))
    );
}

#[test]
fn malformed_credentials_are_none() {
    let head = "Digest username=\"u\", realm=\"r\", nonce=\"n\", uri=\"sip:x\", response=\"0\"";
    assert!(Credentials::parse(head).is_some());
    for tail in [
        ", qop=auth",
        ", qop=auth, nc=1, cnonce=\"c\"",
        ", qop=auth, nc=0000000g, cnonce=\"c\"",
        ", qop=auth-int",
        ", x",
    ] {
        assert_eq!(Credentials::parse(&format!("{head}{tail}")), None, "{tail}");
    }
}

/// A guard, and a client that asks it until it is let in, refused for good, or gives up.
struct Door {
    guard: Guard,
    keys: Keyring,
    draws: u32,
    now: Instant,
}

impl Door {
    fn new(password: &str, algorithms: &[Algorithm]) -> Self {
        let account = |barred| Account {
            password: Some("secret".to_owned()),
            barred,
        };
        let accounts = [("1001", account(false)), ("1009", account(true))];
        Self {
            guard: Guard::new(Policy {
                realm: "sim.test".to_owned(),
                algorithms: algorithms.to_vec(),
                nonce_lifetime: Duration::from_secs(60),
                accounts: accounts
                    .map(|(user, it)| (user.to_owned(), it))
                    .into_iter()
                    .collect::<BTreeMap<_, _>>(),
            }),
            keys: Keyring::new("1001", password),
            draws: 0,
            now: Instant::START,
        }
    }

    /// What each request of the exchange was answered with.
    fn ask(&mut self) -> Vec<Admission> {
        let mut outcomes = Vec::new();
        let mut request = Message::request(Method::Invite, "sip:1002@sim.test");
        loop {
            let mut draws = self.draws;
            self.keys.sign(&mut request, || {
                draws += 1;
                format!("c{draws}")
            });
            self.draws = draws + 1;
            let outcome = self
                .guard
                .admit(self.now, &request, Asker::Proxy, || format!("n{draws}"));
            outcomes.push(outcome.clone());
            let Admission::Challenged(challenges) = outcome else {
                return outcomes;
            };
            let mut response = Message::response(Asker::Proxy.status(), "");
            for challenge in challenges {
                response.append("Proxy-Authenticate", &challenge.to_string());
            }
            if !self.keys.take(&request, &response) {
                return outcomes;
            }
            assert!(outcomes.len() < 5, "a digest loop");
        }
    }
}

fn granted() -> Admission {
    Admission::Granted("1001".to_owned())
}

#[test]
fn a_client_is_challenged_once_and_then_counts() {
    let mut door = Door::new("secret", &[Algorithm::Sha256, Algorithm::Md5]);
    let first = door.ask();
    assert!(matches!(&first[..], [Admission::Challenged(offers), last]
        if *last == granted() && offers.len() == 2 && offers[0].algorithm == Algorithm::Sha256));
    // The nonce is still good, so that nobody asks again; the count is what lets the second use pass.
    assert_eq!(door.ask(), [granted()]);
    assert_eq!(door.ask(), [granted()]);
}

#[test]
fn a_stale_nonce_costs_one_round_and_says_so() {
    let mut door = Door::new("secret", &[Algorithm::Md5]);
    door.ask();
    door.now = door.now + Duration::from_secs(61);
    let outcomes = door.ask();
    assert!(
        matches!(&outcomes[..], [Admission::Challenged(offers), last] if offers[0].stale && *last == granted())
    );
}

#[test]
fn a_wrong_password_ends_after_its_second_try() {
    let mut door = Door::new("wrong", &[Algorithm::Md5]);
    let outcomes = door.ask();
    assert_eq!(outcomes.len(), 2);
    assert!(matches!(&outcomes[1], Admission::Challenged(offers) if !offers[0].stale));
}

#[test]
fn a_barred_user_is_refused_only_with_the_right_password() {
    let mut door = Door::new("secret", &[Algorithm::Md5]);
    door.keys = Keyring::new("1009", "secret");
    assert_eq!(
        door.ask().last(),
        Some(&Admission::Barred("1009".to_owned()))
    );
    door.keys = Keyring::new("1009", "guess");
    assert!(matches!(door.ask().last(), Some(Admission::Challenged(_))));
}

#[test]
fn the_same_request_twice_is_a_replay() {
    let mut door = Door::new("secret", &[Algorithm::Md5]);
    door.ask();
    let mut request = Message::request(Method::Invite, "sip:1002@sim.test");
    door.keys.sign(&mut request, || "c".to_owned());
    let mut admit = || {
        door.guard
            .admit(door.now, &request, Asker::Proxy, || "again".to_owned())
    };
    assert_eq!(admit(), granted());
    assert!(matches!(admit(), Admission::Challenged(offers) if offers[0].stale));
}

#[test]
fn ack_and_cancel_are_never_signed_nor_asked_for() {
    let mut door = Door::new("secret", &[Algorithm::Md5]);
    door.ask();
    for method in [Method::Ack, Method::Cancel] {
        let mut request = Message::request(method.clone(), "sip:1002@sim.test");
        door.keys.sign(&mut request, || "c".to_owned());
        assert_eq!(request.header("Proxy-Authorization"), None);
        assert!(!may_be_challenged(&method));
    }
}
