use linefault_network::Instant;

use super::{Divergence, check_again, self_check};
use crate::run::{Setup, simulate};
use crate::scenario::{File, Scenario};
use crate::suite::names;
use crate::trace::Line;

const CALL: &str = r#"title = "A call"

[run]
seed = SEED

[network]
latency = "2ms..8ms"

[lan.office]
subnet = "10.0.0.0/24"

[host.proxy]
actor = "proxy"
domain = "sim.test"

[host.alice]
actor = "phone"
user = "alice"
registrar = "proxy"

[timeline]
steps = [
  { at = "0s", host = "alice", do = "register" },
]
"#;

fn scenario(seed: u64) -> Scenario {
    let text = CALL.replace("SEED", &seed.to_string());
    let file =
        File::read("call.toml", &text, &names()).unwrap_or_else(|mistakes| panic!("{mistakes}"));
    file.resolve(&file.combinations()[0], &[]).unwrap()
}

// A run that is not repeated is planted: the first is another seed's. A check that saw no difference here would see none
// anywhere.
#[test]
fn a_run_that_does_not_repeat_itself_is_caught_and_the_first_difference_told() {
    let setup = Setup::default();
    let first = simulate(&scenario(1), setup).trace;
    assert_eq!(check_again(&first, &scenario(1), setup), Ok(first.hash()));
    assert_eq!(self_check(&scenario(1), setup), Ok(first.hash()));
    let divergence = check_again(&first, &scenario(2), setup).unwrap_err();
    let (left, right) = (divergence.left.as_ref(), divergence.right.as_ref());
    let (left, right) = (left.unwrap(), right.unwrap());
    assert_ne!(left.line, right.line);
    assert_eq!(left.line.id as usize, divergence.common);
    // The transaction of the REGISTER differs by its random branch, and was opened because the step said so.
    assert_eq!(left.line.event, "opened");
    assert!(left.causes.iter().any(|cause| cause.event == "step"));
    let text = divergence.to_string();
    assert!(text.contains("label differs: REGISTER "), "{text}");
    assert!(text.contains("because "), "{text}");
}

// What `diff` reads of another build must be what this one would print.
#[test]
fn lines_survive_json_and_a_file_cannot_lead_causes_in_a_circle() {
    let trace = simulate(&scenario(1), Setup::default()).trace;
    let lines: Vec<Line> = (0..)
        .map_while(|place| super::Lines::line(&trace, place))
        .collect();
    assert_eq!(lines.len(), trace.records().len());
    let read = lines
        .iter()
        .map(|line| Line::from_json(&line.to_json().to_string()));
    let read: Vec<Line> = read.collect::<Result<_, _>>().unwrap();
    assert_eq!(read, lines);
    assert_eq!(Divergence::between(&trace, &read), None);
    let odd = |at| Line {
        id: 0,
        at: Instant::from_micros(at),
        host: None,
        cause: Some(0),
        event: "odd".to_owned(),
        fields: Vec::new(),
    };
    let divergence = Divergence::between(&vec![odd(1)], &vec![odd(2)]).unwrap();
    assert_eq!(divergence.left.unwrap().causes, []);
}

#[test]
fn a_run_that_ends_earlier_differs_where_it_ends() {
    let trace = simulate(&scenario(1), Setup::default()).trace;
    let lines: Vec<Line> = (0..10)
        .map_while(|place| super::Lines::line(&trace, place))
        .collect();
    let divergence = Divergence::between(&trace, &lines).unwrap();
    assert_eq!((divergence.common, divergence.right.is_none()), (10, true));
    assert!(divergence.to_string().contains("B is over"));
}
