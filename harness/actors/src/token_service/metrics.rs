//! What a service counts, and the text in which it says so.

use std::fmt;
use std::time::Duration;

use linefault_protocol::sse::FailureKind;
use prometheus_client::encoding::{EncodeMetric, MetricEncoder, NoLabelSet, text};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

/// The upper bounds of the buckets, in seconds; the last is the limit of a stream.
const BUCKETS: [f64; 6] = [0.1, 0.5, 1.0, 5.0, 15.0, 30.0];

/// The counters of one life of a service.
pub(super) struct Metrics {
    registry: Registry,
    errors: Errors,
    duration: Histogram,
}

/// One counter an error type. The library's own family keeps them in a hash map, whose order differs from run to run.
#[derive(Clone, Debug, Default)]
struct Errors([Counter; FailureKind::ALL.len()]);

impl Metrics {
    pub(super) fn new() -> Self {
        let errors = Errors::default();
        let duration = Histogram::new(BUCKETS);
        let mut registry = Registry::default();
        registry.register("stream_errors", "Streams that failed", errors.clone());
        registry.register(
            "stream_duration_seconds",
            "How long streams took, however they ended",
            duration.clone(),
        );
        Self {
            registry,
            errors,
            duration,
        }
    }

    /// A stream failed.
    pub(super) fn failed(&self, kind: FailureKind) {
        let place = FailureKind::ALL.iter().position(|known| *known == kind);
        if let Some(counter) = place.and_then(|place| self.errors.0.get(place)) {
            counter.inc();
        }
    }

    /// A stream ended, one way or another.
    pub(super) fn ended(&self, after: Duration) {
        self.duration.observe(after.as_secs_f64());
    }

    /// In the Prometheus text format.
    ///
    /// # Errors
    /// None: a string takes all that is written to it.
    pub(super) fn text(&self) -> Result<String, fmt::Error> {
        let mut out = String::new();
        text::encode(&mut out, &self.registry)?;
        Ok(out)
    }
}

impl EncodeMetric for Errors {
    fn encode(&self, mut encoder: MetricEncoder<'_>) -> fmt::Result {
        for (kind, counter) in FailureKind::ALL.iter().zip(&self.0) {
            let labels = [("error_type", kind.as_str())];
            encoder
                .encode_family(&labels)?
                .encode_counter::<NoLabelSet, _, u64>(&counter.get(), None)?;
        }
        Ok(())
    }

    fn metric_type(&self) -> MetricType {
        MetricType::Counter
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_says_what_was_counted() {
        let metrics = Metrics::new();
        metrics.failed(FailureKind::RateLimit);
        metrics.ended(Duration::from_millis(700));
        let text = metrics.text().unwrap();
        let has = |line: &str| assert!(text.lines().any(|it| it == line), "{line} in {text}");
        has("stream_errors_total{error_type=\"rate_limit\"} 1");
        has("stream_errors_total{error_type=\"system\"} 0");
        has("stream_duration_seconds_count 1");
        has("stream_duration_seconds_bucket{le=\"0.5\"} 0");
        has("stream_duration_seconds_bucket{le=\"1.0\"} 1");
    }
}
