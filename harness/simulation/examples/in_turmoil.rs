//! A user's own `turmoil::Sim` with a proxy and two phones of linefault's: a call, silence between the proxy and one of the
//! phones, and the status codes that came of it.
//!
//! `cargo run -p linefault --features turmoil --example in_turmoil`

use std::time::Duration;

use linefault::bridge::Cast;
use linefault::scenario::File;
use linefault::suite::names;

const OFFICE: &str = r#"
title = "A call on turmoil"

[lan.office]
subnet = "10.0.0.0/24"

[host.proxy]
actor = "proxy"
domain = "sim.test"

[host.alice]
actor = "phone"
user = "alice"
registrar = "proxy"

[host.bob]
actor = "phone"
user = "bob"
registrar = "proxy"

[timeline]
steps = [
  { at = "0s", host = "alice", do = "register" },
  { at = "0s", host = "bob", do = "register" },
  { at = "1s", host = "alice", do = "call", to = "bob" },
  { at = "8s", host = "alice", do = "hang-up" },
]
"#;

#[expect(clippy::print_stdout, reason = "that is what the example is for")]
#[expect(clippy::disallowed_methods, reason = "in a `Sim` the clock is tokio's")]
fn main() -> turmoil::Result {
    let file = File::read("office.toml", OFFICE, &names())?;
    let scenario = file.resolve(&file.combinations()[0], &[])?;
    let cast = Cast::of(&scenario)?;

    let mut sim = turmoil::Builder::new()
        .simulation_duration(Duration::from_secs(60))
        .rng_seed(1)
        .build();
    for actor in cast.actors() {
        sim.host(actor.ip(), move || actor.run());
    }
    let ip = |name| cast.actor(name).map(linefault::bridge::Actor::ip);
    let (proxy, bob) = (ip("proxy").ok_or("no proxy")?, ip("bob").ok_or("no bob")?);
    // The user's own code beside the actors: it cuts the wire while the call is up.
    sim.client("saboteur", async move {
        tokio::time::sleep(Duration::from_secs(5)).await;
        turmoil::partition(proxy, bob);
        tokio::time::sleep(Duration::from_secs(40)).await;
        Ok(())
    });
    sim.run()?;

    for line in cast.recording().status_codes() {
        println!("{line}");
    }
    for line in cast.recording().log_levels() {
        println!("{line}");
    }
    Ok(())
}
