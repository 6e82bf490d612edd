//! Whether faults on token streams hit where their scenarios say.

use linefault::evidence::Evidence;
use linefault::run::{Setup, simulate};
use linefault::scenario::File;
use linefault::suite::names;

use crate::support;

/// What had arrived of the stream when it was cut, to its last byte, for each combination of the matrix.
const CUTS: [&str; 5] = [
    // In the first event's id.
    "\r\n4B\r\nid: 82c1",
    // In the data of the first event, behind its `retry:`.
    "retry: 5000\nevent: init\ndata: {\"status\":\"",
    // In the id of a token.
    "\n\n\r\n24\r\nid: 82c11c5",
    // Behind the first digit of a chunk's size, which has two.
    "data: until\n\n\r\n2",
    // Between two chunks.
    "data:  hears\n\n\r\n",
];

// The scenario is named after the places at which it cuts a stream, and proves nothing if it cuts it elsewhere.
#[test]
fn resets_cut_the_stream_where_the_scenario_says() {
    let path = support::scenarios().join("stream/reset-anywhere.toml");
    let text = std::fs::read_to_string(path).expect("it is there");
    let file = File::read("reset-anywhere.toml", &text, &names())
        .unwrap_or_else(|mistakes| panic!("{mistakes}"));
    let combinations = file.combinations();
    assert_eq!(combinations.len(), CUTS.len());
    for (combination, cut) in combinations.iter().zip(CUTS) {
        let scenario = file.resolve(combination, &[]).expect("it was checked");
        let run = simulate(&scenario, Setup::default());
        let evidence = Evidence::new(&run);
        let down = &evidence.connections[0].down;
        let arrived = down.bytes(0..down.arrived());
        let arrived = String::from_utf8_lossy(&arrived);
        assert!(arrived.ends_with(cut), "{arrived:?} and not {cut:?}");
    }
}
