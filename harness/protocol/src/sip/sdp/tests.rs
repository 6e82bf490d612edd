use proptest::prelude::*;

use super::*;

const ALICE: &str = "192.0.2.1";

fn codecs(names: &[&str]) -> Vec<Codec> {
    let find = |name: &&str| Codec::find(name).unwrap_or_else(|| panic!("{name}"));
    names.iter().map(find).collect()
}

fn party(codecs: &[Codec]) -> Party<'_> {
    Party {
        address: ALICE.parse().expect("an address"),
        session: 7,
        version: 1,
        codecs,
    }
}

fn text(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes)
        .expect("text")
        .replace("\r\n", "\n")
}

/// An offer with that below its session lines.
fn offer(streams: &str) -> Vec<u8> {
    format!("v=0\no=- 1 1 IN IP4 192.0.2.2\ns=-\nc=IN IP4 192.0.2.2\nt=0 0\n{streams}")
        .replace('\n', "\r\n")
        .into_bytes()
}

/// The stream lines of the answer to such an offer.
fn answer(names: &[&str], streams: &str) -> Result<String, SdpError> {
    let answer = text(party(&codecs(names)).answer(&offer(streams))?);
    let (_, streams) = answer.split_once("t=0 0\n").expect("a t= line");
    Ok(streams.to_owned())
}

#[test]
fn an_offer_names_each_codec_and_numbers_those_without_a_type_from_96() {
    // The whole text: one line more or less, or in another order, would show (RFC 4566 §5).
    assert_eq!(
        text(party(&codecs(&["PCMU", "opus", "G729", "iLBC"])).offer()),
        "v=0\no=- 7 1 IN IP4 192.0.2.1\ns=-\nc=IN IP4 192.0.2.1\nt=0 0\nm=audio 4000 RTP/AVP 0 96 18 97\n\
         a=rtpmap:0 PCMU/8000\na=rtpmap:96 opus/48000/2\na=rtpmap:18 G729/8000\na=rtpmap:97 iLBC/8000\n"
    );
}

#[test]
fn an_answer_has_the_common_codecs_in_the_offers_order_and_with_its_numbers() {
    let table = [
        // With and without a mapping, in the offer's order.
        (&["PCMU", "PCMA"][..], "m=audio 9 RTP/AVP 8 18 0\n", "8 0"),
        (
            &["opus"],
            "m=audio 9 RTP/AVP 0 111\na=rtpmap:111 OPUS/48000/2\n",
            "111",
        ),
        // A mapping may give even a static number another meaning.
        (
            &["PCMU", "iLBC"],
            "m=audio 9 RTP/AVP 0 8\na=rtpmap:8 iLBC/8000\n",
            "0 8",
        ),
    ];
    for (names, streams, expected) in table {
        let answer = answer(names, streams).expect("something in common");
        let line = answer.lines().next();
        let expected = format!("m=audio 4000 RTP/AVP {expected}");
        assert_eq!(line, Some(expected.as_str()), "{streams}");
    }
}

#[test]
fn an_answer_has_as_many_streams_as_the_offer_and_takes_one() {
    // RFC 3264 §6: in the offer's order; what is not taken has port 0.
    assert_eq!(
        answer(&["PCMU"], "m=video 9 RTP/AVP 34\nm=audio 9 RTP/AVP 0\nm=audio 11 RTP/AVP 0\n"),
        Ok("m=video 0 RTP/AVP 34\nm=audio 4000 RTP/AVP 0\na=rtpmap:0 PCMU/8000\nm=audio 0 RTP/AVP 0\n".to_owned())
    );
    // §5.1: a stream that the offer itself disables stays so, and an offer may have none.
    assert_eq!(
        answer(&["PCMU"], "m=audio 0 RTP/AVP 18\n"),
        Ok("m=audio 0 RTP/AVP 18\n".to_owned())
    );
    assert_eq!(answer(&["PCMU"], ""), Ok(String::new()));
}

#[test]
fn a_direction_is_answered_with_its_opposite() {
    let table = [
        ("m=audio 9 RTP/AVP 0\na=sendonly\n", "a=recvonly"),
        ("m=audio 9 RTP/AVP 0\na=recvonly\n", "a=sendonly"),
        ("m=audio 9 RTP/AVP 0\na=inactive\n", "a=inactive"),
        ("a=sendonly\nm=audio 9 RTP/AVP 0\n", "a=recvonly"),
        (
            "a=sendonly\nm=audio 9 RTP/AVP 0\na=sendrecv\n",
            "a=rtpmap:0 PCMU/8000",
        ),
    ];
    for (streams, expected) in table {
        let answer = answer(&["PCMU"], streams).expect("in common");
        assert_eq!(answer.lines().last(), Some(expected), "{streams}");
    }
}

#[test]
fn what_is_not_in_common_is_named_by_its_warning() {
    let table = [
        ("m=audio 9 RTP/AVP 18\n", SdpError::NoCodec, 305),
        (
            "m=audio 9 RTP/AVP 0\na=rtpmap:0 PCMU/16000\n",
            SdpError::NoCodec,
            305,
        ),
        ("m=video 9 RTP/AVP 34\n", SdpError::NoAudio, 304),
        (
            "m=video 9 RTP/AVP 34\nm=audio 9 RTP/SAVP 0\n",
            SdpError::NoTransport,
            302,
        ),
    ];
    for (streams, error, code) in table {
        assert_eq!(error.warning().map(|(code, _)| code), Some(code));
        assert_eq!(answer(&["PCMU", "PCMA"], streams), Err(error), "{streams}");
    }
}

#[test]
fn what_cannot_be_read_is_malformed_and_says_where() {
    let table = [
        ("".to_owned(), "No version line"),
        ("v=1\r\n".to_owned(), "Version is not 0"),
        ("v=0\r\ns=-\r\n".to_owned(), "Missing o= line"),
        (
            "v=0\r\no=- 1 1 IN IP4 h\r\nm=audio 9 RTP/AVP 0\r\n".to_owned(),
            "Missing c= line",
        ),
        (
            "v=0\r\no=- 1 1 IN IP4 h\r\nm=audio\r\n".to_owned(),
            "Missing field Media port in line 3",
        ),
        // What the parser itself would panic at.
        (
            "v=0\r\nbroken\r\nx=1\r\n".to_owned(),
            "Line 2 is not a letter, \"=\" and a value",
        ),
    ];
    for (description, fault) in table {
        let refused = party(&[Codec::PCMU]).answer(description.as_bytes());
        assert_eq!(refused, Err(SdpError::Malformed(fault.to_owned())));
    }
}

#[test]
fn an_answer_counts_if_it_takes_something_of_the_offer() {
    let codecs = codecs(&["PCMU", "G729"]);
    let party = party(&codecs);
    assert_eq!(party.check(&offer("m=audio 9 RTP/AVP 18\n")), Ok(()));
    assert_eq!(
        party.check(&offer("m=audio 9 RTP/AVP 8\n")),
        Err(SdpError::NoCodec)
    );
    assert_eq!(
        party.check(&offer("m=audio 0 RTP/AVP 0\n")),
        Err(SdpError::NoAudio)
    );
}

#[test]
fn capabilities_and_rejections_have_no_port() {
    let party = party(&[Codec::PCMU]);
    assert!(text(party.capabilities()).ends_with("m=audio 0 RTP/AVP 0\na=rtpmap:0 PCMU/8000\n"));
    let rejection = party.rejection(&offer("m=audio 9 RTP/AVP 18\n")).map(text);
    assert!(rejection.is_ok_and(|text| text.ends_with("t=0 0\nm=audio 0 RTP/AVP 18\n")));
}

proptest! {
    /// What this end writes, its peer reads: an offer answered by whoever has one of its codecs, and that answer counts.
    #[test]
    fn two_ends_with_a_common_codec_agree(
        ours in proptest::sample::subsequence(NAMES.to_vec(), 1..=NAMES.len()),
        theirs in proptest::sample::subsequence(NAMES.to_vec(), 1..=NAMES.len()),
    ) {
        let (common, ours, theirs) = (ours.iter().any(|name| theirs.contains(name)), codecs(&ours), codecs(&theirs));
        let answer = party(&theirs).answer(&party(&ours).offer());
        prop_assert_eq!(answer.is_ok(), common);
        if let Ok(answer) = answer {
            prop_assert_eq!(party(&ours).check(&answer), Ok(()));
        }
    }

    /// Whatever becomes of a description, it is read or refused, and an answer to it can be read again.
    #[test]
    fn no_bytes_make_it_panic(at in any::<proptest::sample::Index>(), with in "[ -~\r\n]{0,12}", cut in 0..40usize) {
        let mut bytes = offer("m=audio 9 RTP/AVP 0 96\na=rtpmap:96 opus/48000/2\na=sendonly\nm=video 9 RTP/AVP 34\n");
        let at = at.index(bytes.len());
        bytes.splice(at..(at + cut).min(bytes.len()), with.into_bytes());
        if let Ok(answer) = party(&[Codec::PCMU]).answer(&bytes) {
            prop_assert!(read(&answer).is_ok(), "{}", String::from_utf8_lossy(&answer));
        }
    }
}
