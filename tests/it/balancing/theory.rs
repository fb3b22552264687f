//! What queueing theory knows of a farm of servers.

use blastradius::layout::Balance;

use super::{LOAD, SERVICE};

/// What theory says of the mean and the 99th percentile.
pub enum Theory {
    /// They are this.
    Law([f64; 2]),
    /// They are this for infinitely many servers.
    Limit([f64; 2]),
    /// The mean is above this: that of one queue for all servers.
    Above(f64),
}

pub fn theory(policy: Balance, servers: u32) -> Theory {
    let exponential = |mean: f64| Theory::Law([mean, mean * 100_f64.ln()]);
    match policy {
        // Each server is M/M/1.
        Balance::Random => exponential(SERVICE / (1.0 - LOAD)),
        // Each server is E_n/M/1: the sojourn is exponential, s the root of s = A(mu (1 - s)), A the transform of the gaps.
        Balance::RoundRobin => {
            let gaps = f64::from(servers) * LOAD;
            let root = (0..2_000).fold(0.5, |s: f64, _| (gaps / (gaps + 1.0 - s)).powf(f64::from(servers)));
            exponential(SERVICE / (1.0 - root))
        }
        Balance::PowerOfTwo if servers >= 100 => Theory::Limit(power_of_two()),
        _ => Theory::Above(SERVICE * (1.0 + erlang_c(servers) / (f64::from(servers) * (1.0 - LOAD)))),
    }
}

/// Mitzenmacher 2001: a share of LOAD^(2^i - 1) of the servers has i requests or more, so this to the power of two of the arrivals find
/// that many or more before them.
fn power_of_two() -> [f64; 2] {
    let find = |i: i32| LOAD.powf(2_f64.powi(i + 1) - 2.0);
    let mean = SERVICE * (0..10).map(find).sum::<f64>();
    let longer = |time: f64| {
        let (mut term, mut erlang, mut sum) = ((-time / SERVICE).exp(), 0.0, 0.0);
        for i in 0..10 {
            erlang += term;
            term *= time / SERVICE / f64::from(i + 1);
            sum += (find(i) - find(i + 1)) * erlang;
        }
        sum
    };
    let (mut low, mut high) = (0.0, 100.0 * SERVICE);
    for _ in 0..60 {
        let middle = f64::midpoint(low, high);
        if longer(middle) > 0.01 {
            low = middle;
        } else {
            high = middle;
        }
    }
    [mean, low]
}

/// The probability to wait in one queue for all servers, by the recursion of Erlang B.
fn erlang_c(servers: u32) -> f64 {
    let offered = LOAD * f64::from(servers);
    let blocked = (1..=servers).fold(1.0, |b, n| offered * b / (f64::from(n) + offered * b));
    blocked / (1.0 - LOAD * (1.0 - blocked))
}
