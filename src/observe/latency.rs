//! Latency of answered requests: since the start, and over the last seconds.

use std::collections::VecDeque;
use std::time::Duration;

use hdrhistogram::Histogram;

use super::frame::Quantiles;

/// Seconds that "recent" covers, the running one included.
pub const RECENT_SECONDS: usize = 10;
/// The longest latency that is told apart, in microseconds; longer ones count as this.
const LONGEST: u64 = 120_000_000;

/// Histograms in microseconds (HDR: Tene's High Dynamic Range Histogram).
pub struct Latencies {
    total: Histogram<u64>,
    total_nanos: u64,
    second: Histogram<u32>,
    seconds: VecDeque<Histogram<u32>>,
    /// The sum of `seconds`.
    past: Histogram<u32>,
}

impl Default for Latencies {
    fn default() -> Latencies {
        Latencies {
            total: histogram(3),
            total_nanos: 0,
            second: histogram(2),
            seconds: VecDeque::new(),
            past: histogram(2),
        }
    }
}

fn histogram<C: hdrhistogram::Counter>(digits: u8) -> Histogram<C> {
    Histogram::new_with_bounds(1, LONGEST, digits).expect("the bounds are in order")
}

impl Latencies {
    /// Counts one request.
    #[inline]
    pub fn record(&mut self, nanos: u64) {
        let micros = nanos / 1_000;
        self.total.saturating_record(micros);
        self.second.saturating_record(micros);
        self.total_nanos += nanos;
    }

    /// Ends a second.
    pub fn end_second(&mut self) {
        let mut next = if self.seconds.len() + 1 < RECENT_SECONDS {
            None
        } else {
            self.seconds.pop_front()
        };
        if let Some(next) = &mut next {
            self.past.subtract(&*next).expect("what was added is there");
            next.reset();
        }
        let ended = std::mem::replace(&mut self.second, next.unwrap_or_else(|| histogram(2)));
        self.past.add(&ended).expect("histograms have the same bounds");
        self.seconds.push_back(ended);
    }

    /// Adds the running second to a sum over populations.
    pub fn add_second_to(&self, sum: &mut Recent) {
        sum.0.add(&self.second).expect("histograms have the same bounds");
    }

    /// Since the start; the mean is exact, not from the histogram.
    pub fn total(&self) -> Quantiles {
        let mut quantiles = quantiles(&self.total);
        quantiles.mean = Duration::from_nanos(self.total_nanos.checked_div(quantiles.count).unwrap_or(0));
        quantiles
    }

    /// Adds the last seconds to a sum over populations.
    pub fn add_recent_to(&self, sum: &mut Recent) {
        for second in [&self.past, &self.second] {
            sum.0.add(second).expect("histograms have the same bounds");
        }
    }

    /// Adds the total to a sum over populations.
    pub fn add_total_to(&self, sum: &mut Latencies) {
        sum.total.add(&self.total).expect("histograms have the same bounds");
        sum.total_nanos += self.total_nanos;
    }
}

/// The last seconds of several populations together.
pub struct Recent(Histogram<u32>);

impl Default for Recent {
    fn default() -> Recent {
        Recent(histogram(2))
    }
}

impl Recent {
    /// Its quantiles.
    pub fn quantiles(&self) -> Quantiles {
        quantiles(&self.0)
    }
}

fn quantiles<C: hdrhistogram::Counter>(histogram: &Histogram<C>) -> Quantiles {
    if histogram.is_empty() {
        return Quantiles::default();
    }
    let at = |quantile| Duration::from_micros(histogram.value_at_quantile(quantile));
    Quantiles {
        count: histogram.len(),
        mean: Duration::from_nanos((histogram.mean() * 1e3) as u64),
        p50: at(0.5),
        p95: at(0.95),
        p99: at(0.99),
        max: Duration::from_micros(histogram.max()),
    }
}
