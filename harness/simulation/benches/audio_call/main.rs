//! What a 40 s AudioSocket call costs, both ways, a frame each 20 ms, trace and oracles included, beside two bare tokio tasks
//! that do nothing but exchange as many frames at the same virtual times.
//!
//! `cargo bench -p linefault --bench audio_call`

#[path = "../support/allocator.rs"]
mod allocator;
#[path = "../support/measure.rs"]
mod measure;
#[path = "../support/profile.rs"]
mod profile;

use std::hint::black_box;
use std::time::Duration;

use bytes::Bytes;
use linefault::evidence::Evidence;
use linefault::run::{Setup, simulate};

use measure::{findings, median, ratio, read};
use profile::profile;

const CALL: &str = r#"title = "An echo of forty seconds"

[host.service]
actor = "audio-service"
flow = "echo"

[host.visitor]
actor = "audio-peer"
service = "service"

[run]
run_until = "41s"

[timeline]
steps = [
  { at = "0s", host = "visitor", do = "call" },
  { at = "40s", host = "service", do = "hang-up" },
]
"#;

/// Frames in forty seconds, one way.
const FRAMES: u32 = 2000;

#[expect(clippy::print_stdout, reason = "that is what a bench is for")]
fn main() {
    let scenario = read(CALL);
    if profile(&scenario) {
        return;
    }
    let run = simulate(&scenario, Setup::default());
    let evidence = Evidence::new(&run);
    assert_eq!(findings(&evidence), 0, "the call is in order");
    let frames = evidence.utterances.len();
    let whole = median(51, || {
        let run = simulate(&scenario, Setup::default());
        black_box(findings(&Evidence::new(&run)));
    });
    let recorded = median(51, || {
        black_box(simulate(&scenario, Setup::default()));
    });
    let read_back = median(51, || {
        black_box(Evidence::new(&run));
    });
    let judged = median(51, || {
        black_box(findings(&evidence));
    });
    let bare = median(51, bare_tokio);
    let records = run.trace.records().len();
    println!("An AudioSocket call of 40 s: {frames} frames, {records} records; medians");
    println!("  run, read back and judged   {whole:>9.1?}");
    println!("  run and recorded            {recorded:>9.1?}");
    println!("  read back                   {read_back:>9.1?}");
    println!("  judged                      {judged:>9.1?}");
    println!("  bare tokio                  {bare:>9.1?}");
    println!(
        "  {:.2}× bare tokio; {:.2} µs a frame",
        ratio(whole, bare),
        whole.as_secs_f64() * 1e6 / frames as f64
    );
}

/// An echo over channels in tokio's own virtual time.
#[expect(clippy::disallowed_methods, reason = "the baseline is bare tokio")]
fn bare_tokio() {
    let mut builder = tokio::runtime::Builder::new_current_thread();
    let runtime = builder.enable_time().start_paused(true).build();
    runtime.expect("a runtime").block_on(async {
        let (to_service, mut at_service) = tokio::sync::mpsc::channel::<Bytes>(50);
        let (to_visitor, mut at_visitor) = tokio::sync::mpsc::channel::<Bytes>(50);
        let echo = tokio::spawn(async move {
            while let Some(frame) = at_service.recv().await {
                let frame = Bytes::copy_from_slice(&frame);
                if to_visitor.send(frame).await.is_err() {
                    return;
                }
            }
        });
        let hearing = tokio::spawn(async move { while at_visitor.recv().await.is_some() {} });
        let frame = Bytes::from(vec![0; 323]);
        for _ in 0..FRAMES {
            tokio::time::sleep(Duration::from_millis(20)).await;
            let sent = to_service.send(Bytes::copy_from_slice(&frame)).await;
            sent.expect("the echo lives");
        }
        drop(to_service);
        echo.await.expect("no panic");
        hearing.await.expect("no panic");
    });
}
