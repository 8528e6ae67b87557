//! The three-pool rule against layers whose histograms are known to drift or to stand still.

use super::{
    super::{
        perplexity::Snapshot,
        pools::{ENTER, NEEDED, ThreePools, in_floors, noise_floor, tvd},
        state::State,
    },
    BUCKETS, Random, bell,
};

fn snapshot(counts: Vec<f64>) -> Snapshot {
    let edges = (0..=BUCKETS).map(|b| 1.0 + b as f64).collect();
    Snapshot { step: 0, edges, counts, filters: None, no_response: 0.0 }
}

/// States after each of the snapshots of a layer that is at `centre(t)`.
fn states(random: &mut Random, snapshots: usize, n: usize, centre: impl Fn(usize) -> f64) -> Vec<State> {
    let mut pools = ThreePools::default();
    (0..snapshots).map(|t| pools.push(&snapshot(random.multinomial(n, &bell(centre(t))))).1).collect()
}

fn first_stable(states: &[State]) -> Option<usize> {
    states.iter().position(|s| *s == State::Stable)
}

/// Drifts by 0.4 buckets a snapshot until `stop`, then stands still.
fn until(stop: usize) -> impl Fn(usize) -> f64 {
    move |t| 16.0 - 0.4 * t.min(stop) as f64
}

#[test]
fn t_10_layers_are_reported_stable_in_the_order_in_which_they_stop() {
    for seed in 0..20 {
        let mut random = Random(seed);
        let firsts: Vec<usize> = [5, 15, 25, 35]
            .into_iter()
            .map(|stop| first_stable(&states(&mut random, 70, 1000, until(stop))).unwrap())
            .collect();
        assert!(firsts.is_sorted(), "seed {seed}: {firsts:?}");
        for (stop, first) in [5, 15, 25, 35].into_iter().zip(&firsts) {
            assert!((9..=13).contains(&(first - stop)), "seed {seed}: stopped at {stop}, stable at {first}");
        }
    }
}

#[test]
fn t_10_layers_that_drift_slowly_or_swing_are_never_reported() {
    for seed in 0..20 {
        let mut random = Random(seed);
        let swings = states(&mut random, 70, 1000, |t| 9.0 + 7.0 * (t as f64 * 0.15).sin());
        let drifts = states(&mut random, 70, 1000, |t| 16.0 - 0.1 * t as f64);
        for (name, states) in [("swings", &swings), ("drifts", &drifts)] {
            assert_eq!(first_stable(states), None, "seed {seed}: {name}");
            assert!(states[NEEDED..].iter().all(|s| matches!(s, State::Moving | State::Settling)));
        }
    }
}

#[test]
fn t_10_a_static_layer_is_stable_from_the_twelfth_snapshot_and_leaves_at_most_once() {
    let mut random = Random(10);
    let states = states(&mut random, 400, 1000, |_| 9.0);
    assert_eq!(first_stable(&states), Some(NEEDED - 1));
    let leaves = states.windows(2).filter(|w| w[0] == State::Stable && w[1] != State::Stable).count();
    assert!(leaves <= 1, "{leaves}");
    assert!(states[..NEEDED - 1].iter().all(|s| *s == State::Warming));
}

#[test]
fn t_10_renewed_drift_is_noticed_as_regressing() {
    let mut random = Random(3);
    for (drift, most) in [(0.05, 9), (0.1, 6), (0.2, 4)] {
        let states = states(&mut random, 70, 1000, |t| 9.0 - drift * t.saturating_sub(39) as f64);
        let left = (40..70).find(|t| states[*t] != State::Stable).unwrap();
        assert!(left - 40 <= most, "{drift}: after {}", left - 40);
        assert_eq!(states[left], State::Regressing);
    }
}

#[test]
fn t_10_the_rule_of_consecutive_snapshots_would_call_the_slow_layer_stable() {
    // What the three pools are for: this layer moves, and hides under the noise from one snapshot to the next.
    let mut random = Random(1);
    let counts: Vec<Vec<f64>> =
        (0..70).map(|t| random.multinomial(200, &bell(16.0 - 0.1 * f64::from(t)))).collect();
    assert!(counts.windows(2).filter(|w| in_floors(&w[0], &w[1]) <= ENTER).count() > 60);
}

#[test]
fn the_noise_floor_is_what_sampling_makes_of_one_distribution() {
    for (n, wanted) in [(200, 0.1739), (1000, 0.0778), (5000, 0.0348)] {
        let expected = vec![n as f64 / BUCKETS as f64; BUCKETS];
        let floor = noise_floor(&expected, &expected);
        assert!((floor - wanted).abs() < 5e-5, "{n}: {floor}");
        let mut random = Random(n as u64);
        let shares = vec![1.0 / BUCKETS as f64; BUCKETS];
        let mut draw = || random.multinomial(n, &shares);
        let mean = (0..400).map(|_| tvd(&draw(), &draw())).sum::<f64>() / 400.0;
        assert!((mean / floor - 1.0).abs() < 0.03, "{n}: {mean} {floor}");
    }
    assert_eq!(in_floors(&[5.0, 0.0], &[9.0, 0.0]), 0.0);
    assert!(in_floors(&[5.0, 0.0], &[0.0, 5.0]) > 2.0);
}

#[test]
fn other_buckets_begin_anew() {
    let mut random = Random(2);
    let mut pools = ThreePools::default();
    let still = bell(9.0);
    let states: Vec<State> = (0..30)
        .map(|t| {
            let mut one = snapshot(random.multinomial(1000, &still));
            if t >= 15 {
                one.edges.iter_mut().for_each(|e| *e *= 2.0);
            }
            pools.push(&one).1
        })
        .collect();
    assert!(states[..11].iter().chain(&states[15..26]).all(|s| *s == State::Warming), "{states:?}");
    assert!(states[13] == State::Stable && states[28] == State::Stable, "{states:?}");
}
