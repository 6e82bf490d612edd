//! What an event is called, and its particulars: complete, so that two runs can be compared by them, and by another build.

use std::fmt::Display;

use bytes::Bytes;
use linefault_actors::{Report, TimerChange, checkpoint};
use linefault_network::{self as network, Packet, Payload};

use super::{Event, LogLine};

/// The particulars of an event, in order.
pub(super) type Fields = Vec<(&'static str, String)>;

/// The event's name and particulars.
pub(super) fn describe(event: &Event) -> (&'static str, Fields) {
    match event {
        Event::Network(event) => of_network(event),
        Event::Report(report) => of_report(report),
        Event::Log(line) => ("log", of_log(line)),
        Event::Unsent(unsent) => (
            "unsent",
            vec![
                field("from", unsent.from),
                field("to", unsent.to),
                field("error", unsent.error),
                ("data", escaped(&unsent.datagram)),
            ],
        ),
        Event::Injected(failure) => (
            "injected",
            vec![
                field("fault", failure.fault + 1),
                field("point", failure.point),
                field("panics", failure.panics),
            ],
        ),
        Event::Step(step) => (
            "step",
            vec![
                field("number", step.index + 1),
                field("text", &step.text),
                field("raw", step.raw),
                field("refused", step.refused.unwrap_or("no")),
            ],
        ),
        Event::Settled => ("settled", Vec::new()),
    }
}

fn field(name: &'static str, value: impl Display) -> (&'static str, String) {
    (name, value.to_string())
}

fn debug(name: &'static str, value: impl std::fmt::Debug) -> (&'static str, String) {
    (name, format!("{value:?}"))
}

fn escaped(data: &Bytes) -> String {
    data.escape_ascii().to_string()
}

fn of_log(line: &LogLine) -> Fields {
    let own = [field("level", line.level), field("message", &line.message)];
    let fields = line.fields.iter().cloned();
    own.into_iter().chain(fields).collect()
}

fn of_report(report: &Report) -> (&'static str, Fields) {
    match report {
        Report::Opened {
            kind,
            id,
            label,
            target,
        } => {
            let mut fields = vec![field("kind", kind), field("id", id), field("label", label)];
            fields.extend(target.map(|target| field("target", target)));
            ("opened", fields)
        }
        Report::Closed { kind, id } => ("closed", vec![field("kind", kind), field("id", id)]),
        Report::State {
            machine,
            id,
            from,
            to,
            on,
        } => (
            "state",
            vec![
                field("machine", machine),
                field("id", id),
                field("from", from),
                field("to", to),
                field("on", on),
            ],
        ),
        Report::Timer { timer, id, change } => {
            let what = [field("timer", timer), field("id", id)];
            match change {
                TimerChange::Set(at) => {
                    let due = network::Instant::from_micros(at.as_micros());
                    let due = [field("due", due)];
                    ("timer-set", what.into_iter().chain(due).collect())
                }
                TimerChange::Fired => ("timer-fired", what.into()),
                TimerChange::Cancelled => ("timer-cancelled", what.into()),
            }
        }
        Report::Checkpoint { place, holds } => {
            let point = checkpoint::all().nth(usize::from(*place));
            let name = point.map_or("", |(_, point)| point.name);
            (
                "checkpoint",
                vec![field("name", name), field("holds", holds)],
            )
        }
    }
}

fn of_network(event: &network::Event) -> (&'static str, Fields) {
    use network::Event as N;
    match event {
        N::Sent { packet } => ("sent", of_packet(packet)),
        N::Delivered { packet } => ("delivered", of_packet(packet)),
        N::Received { packet, socket } => (
            "received",
            vec![field("packet", packet), field("socket", socket.0)],
        ),
        N::Read {
            socket,
            local,
            remote,
            length,
        } => (
            "read",
            vec![
                field("socket", socket.0),
                field("local", local),
                field("remote", remote),
                field("length", length),
            ],
        ),
        N::Lost { packet, reason } => {
            let mut fields = vec![debug("reason", reason)];
            fields.extend(of_packet(packet));
            ("lost", fields)
        }
        N::Altered { packet, fault, how } => {
            let mut fields = vec![field("fault", fault.index()), debug("how", how)];
            fields.extend(of_packet(packet));
            ("altered", fields)
        }
        N::Translated { packet, from, to } => {
            let mut fields = vec![field("was-from", from), field("was-to", to)];
            fields.extend(of_packet(packet));
            ("translated", fields)
        }
        N::TimerSet { timer, due, class } => (
            "wake-up-set",
            vec![
                field("timer", timer.0),
                field("due", due),
                debug("class", class),
            ],
        ),
        N::TimerFired { timer } => ("wake-up", vec![field("timer", timer.0)]),
        N::TimerCancelled { timer } => ("wake-up-cancelled", vec![field("timer", timer.0)]),
        N::FaultArmed { fault, name } => (
            "fault-armed",
            vec![field("fault", fault.index()), field("name", name)],
        ),
        N::FaultEnded { fault } => ("fault-ended", vec![field("fault", fault.index())]),
        other => of_host(other),
    }
}

fn of_host(event: &network::Event) -> (&'static str, Fields) {
    use network::Event as N;
    match event {
        N::SocketOpened { socket, local } => (
            "socket-opened",
            vec![field("socket", socket.0), field("local", local)],
        ),
        N::SocketClosed { socket } => ("socket-closed", vec![field("socket", socket.0)]),
        N::ConnectionState {
            socket,
            local,
            remote,
            state,
        } => (
            "connection",
            vec![
                field("socket", socket.0),
                field("local", local),
                field("remote", remote),
                debug("state", state),
            ],
        ),
        N::CallFailed {
            socket,
            call,
            address,
            error,
        } => {
            let mut fields = vec![debug("call", call), field("error", error)];
            fields.extend(socket.map(|socket| field("socket", socket.0)));
            fields.extend(address.map(|address| field("address", address)));
            ("call-failed", fields)
        }
        N::TaskSpawned { task } => ("task-spawned", vec![field("task", task.0)]),
        N::TaskEnded { task, how } => {
            ("task-ended", vec![field("task", task.0), debug("how", how)])
        }
        N::Panic { task, message } => {
            let task = task.map(|task| field("task", task.0));
            let message = field("message", message);
            ("panic", task.into_iter().chain([message]).collect())
        }
        N::InvitedPanic { fault } => ("invited-panic", vec![field("fault", fault.index())]),
        N::HostStarted { incarnation } => ("host-started", vec![field("incarnation", incarnation)]),
        N::HostStopped { incarnation, how } => (
            "host-stopped",
            vec![field("incarnation", incarnation), debug("how", how)],
        ),
        N::HostFrozen { incarnation } => ("host-frozen", vec![field("incarnation", incarnation)]),
        N::HostResumed { incarnation } => ("host-resumed", vec![field("incarnation", incarnation)]),
        N::Sent { .. }
        | N::Delivered { .. }
        | N::Received { .. }
        | N::Read { .. }
        | N::Lost { .. }
        | N::Altered { .. }
        | N::Translated { .. }
        | N::TimerSet { .. }
        | N::TimerFired { .. }
        | N::TimerCancelled { .. }
        | N::FaultArmed { .. }
        | N::FaultEnded { .. } => ("network", vec![debug("event", event)]),
    }
}

fn of_packet(packet: &Packet) -> Fields {
    let mut fields = vec![
        field("packet", packet.id),
        field("from", packet.from),
        field("to", packet.to),
    ];
    if packet.dont_fragment {
        fields.push(field("flags", "DF"));
    }
    match &packet.payload {
        Payload::Udp(data) => fields.push(("udp", escaped(data))),
        Payload::Icmp(icmp) => fields.push(debug("icmp", icmp)),
        Payload::Tcp(segment) => {
            fields.extend([
                debug("tcp", segment.flags),
                field("seq", segment.sequence),
                field("ack", segment.acknowledgement),
                field("window", segment.window),
            ]);
            fields.extend(segment.mss.map(|mss| field("mss", mss)));
            if !segment.intact {
                fields.push(field("checksum", "wrong"));
            }
            fields.push(("data", escaped(&segment.data)));
        }
    }
    fields
}
