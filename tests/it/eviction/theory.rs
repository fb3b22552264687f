//! Policies for which theory has an answer, if requests are independent of each other.

use blastradius::layout::Evict;

use super::trace::{KEYS, Zipf, request, store};

/// Half a percentage point.
const TOLERANCE: f64 = 0.005;
const WARM_UP: u64 = 250_000;
const MEASURED: u64 = 250_000;

/// The hit ratio when a key of probability p is held with the probability `held(p t)`, where the time t is such that as many are held
/// as there is room for.
fn approximation(probabilities: &[f64], room: f64, held: impl Fn(f64) -> f64) -> f64 {
    let expected = |time: f64| probabilities.iter().map(|p| held(p * time)).sum::<f64>();
    let (mut low, mut high) = (0.0_f64, 1e12_f64);
    for _ in 0..60 {
        let middle = f64::midpoint(low, high);
        if expected(middle) < room {
            low = middle;
        } else {
            high = middle;
        }
    }
    probabilities.iter().map(|p| p * held(p * low)).sum()
}

fn measured(evict: Evict, zipf: &Zipf, percent: u64) -> f64 {
    let mut store = store(evict, percent);
    for number in 0..WARM_UP {
        request(&mut store, zipf.key(number));
    }
    let measured = WARM_UP..WARM_UP + MEASURED;
    let hits = measured.filter(|number| request(&mut store, zipf.key(*number))).count();
    hits as f64 / MEASURED as f64
}

fn assert_near(what: &str, found: f64, expected: f64) {
    println!("{what}: {:.2} % for {:.2} %", 100.0 * found, 100.0 * expected);
    assert!(
        (found - expected).abs() <= TOLERANCE,
        "{what}: {found:.4} for {expected:.4}"
    );
}

#[test]
fn lru_agrees_with_the_approximation_of_che() {
    // Che, Tung, Wang: Hierarchical Web Caching Systems: Modeling, Design and Experimental Results, 2002.
    for exponent in [0.7, 0.9, 1.0, 1.2] {
        let zipf = Zipf::new(exponent);
        let probabilities = zipf.probabilities();
        for percent in [1, 10] {
            let room = (KEYS * percent / 100) as f64;
            let expected = approximation(&probabilities, room, |rate| -libm::expm1(-rate));
            let found = measured(Evict::Lru, &zipf, percent);
            assert_near(&format!("lru, s={exponent}, {percent} %"), found, expected);
        }
    }
}

#[test]
fn random_and_fifo_have_the_same_hit_ratio() {
    // Gelenbe: A Unified Approach to the Evaluation of a Class of Replacement Algorithms, 1973; the approximation for both is that of
    // Martina, Garetto, Leonardi: A unified approach to the performance analysis of caching systems, 2014.
    for exponent in [0.7, 1.0] {
        let zipf = Zipf::new(exponent);
        let probabilities = zipf.probabilities();
        for percent in [1, 10] {
            let room = (KEYS * percent / 100) as f64;
            let expected = approximation(&probabilities, room, |rate| rate / (1.0 + rate));
            for evict in [Evict::Fifo, Evict::Random] {
                let found = measured(evict, &zipf, percent);
                assert_near(&format!("{evict}, s={exponent}, {percent} %"), found, expected);
            }
        }
    }
}

#[test]
fn samples_come_near_to_what_they_approximate() {
    let zipf = Zipf::new(0.9);
    for percent in [1, 10] {
        let exact = measured(Evict::Lru, &zipf, percent);
        let sampled = measured(Evict::SampledLru, &zipf, percent);
        let frequency = measured(Evict::SampledLfu, &zipf, percent);
        println!("{percent} %: lru {exact:.4}, sampled {sampled:.4}, sampled lfu {frequency:.4}");
        assert!(
            (sampled - exact).abs() <= 0.005,
            "{percent} %: {sampled:.4} for {exact:.4}"
        );
        assert!(frequency > exact, "{percent} %: LFU {frequency:.4}, and LRU {exact:.4}");
    }
}
