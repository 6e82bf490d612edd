//! Takes the log lines of the actors out of `tracing` and into the trace.
//!
//! One subscriber a thread, set for the length of a run; the run's trace is found through a thread-local,
//! since a simulation never leaves its thread. Lines below INFO are not part of what users review.

use std::cell::RefCell;
use std::fmt;
use std::rc::Rc;

use linefault_network::Network;
use tracing::field::{Field, Visit};
use tracing::level_filters::LevelFilter;
use tracing::subscriber::Interest;
use tracing::{Dispatch, Metadata, Subscriber};
use tracing_subscriber::Registry;
use tracing_subscriber::layer::{Context, Layer, SubscriberExt as _};

use crate::trace::{Event, LogLine, Trace};

thread_local! {
    static SINK: RefCell<Option<Rc<dyn Sink>>> = const { RefCell::new(None) };
    /// It knows nothing of any run. A new one for each would have all call sites ask it for its interest again.
    static SUBSCRIBER: Dispatch = Dispatch::new(Registry::default().with(TraceLayer));
}

/// Where the log lines of whoever runs go.
pub(crate) trait Sink {
    /// Takes one. `target` is the module that wrote it, unless that says otherwise.
    fn take(&self, target: &'static str, line: LogLine);
}

struct Simulated {
    network: Network,
    trace: Rc<RefCell<Trace>>,
}

impl Sink for Simulated {
    fn take(&self, _target: &'static str, line: LogLine) {
        let (network, host) = (&self.network, self.network.current_host());
        let line = Event::Log(line);
        self.trace
            .borrow_mut()
            .push(network.now(), host, network.cause(), line);
    }
}

/// Records the log lines of `network`'s hosts in `trace` while `run` runs.
pub(crate) fn capture<T>(
    network: &Network,
    trace: &Rc<RefCell<Trace>>,
    run: impl FnOnce() -> T,
) -> T {
    let sink = Simulated {
        network: network.clone(),
        trace: Rc::clone(trace),
    };
    into(Rc::new(sink), run)
}

/// Gives `sink` the log lines that are written while `run` runs.
pub(crate) fn into<T>(sink: Rc<dyn Sink>, run: impl FnOnce() -> T) -> T {
    let _guard = Installed(SINK.replace(Some(sink)));
    let subscriber = SUBSCRIBER.with(Dispatch::clone);
    tracing::dispatcher::with_default(&subscriber, run)
}

/// Puts back what was there before, also when a run panics.
struct Installed(Option<Rc<dyn Sink>>);

impl Drop for Installed {
    fn drop(&mut self) {
        SINK.set(self.0.take());
    }
}

struct TraceLayer;

impl<S: Subscriber> Layer<S> for TraceLayer {
    fn register_callsite(&self, metadata: &'static Metadata<'static>) -> Interest {
        if *metadata.level() <= tracing::Level::INFO {
            Interest::always()
        } else {
            Interest::never()
        }
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        Some(LevelFilter::INFO)
    }

    fn on_event(&self, event: &tracing::Event<'_>, _cx: Context<'_, S>) {
        let mut line = Line::default();
        event.record(&mut line);
        let line = LogLine {
            level: *event.metadata().level(),
            message: line.message,
            fields: line.fields,
        };
        SINK.with_borrow(|sink| {
            if let Some(sink) = sink {
                sink.take(event.metadata().target(), line);
            }
        });
    }
}

#[derive(Default)]
struct Line {
    message: String,
    fields: Vec<(&'static str, String)>,
}

impl Visit for Line {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.take(field, value.to_owned());
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.take(field, format!("{value:?}"));
    }
}

impl Line {
    fn take(&mut self, field: &Field, value: String) {
        if field.name() == "message" {
            self.message = value;
        } else {
            self.fields.push((field.name(), value));
        }
    }
}
