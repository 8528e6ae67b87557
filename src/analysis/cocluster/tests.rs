//! Planted blocks are found again, and what is no table of amounts has no answer.

use std::collections::BTreeSet;

use ndarray::Array2;

use super::*;

struct Random(u64);

impl Random {
    fn next(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut x = self.0;
        x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((x ^ (x >> 31)) >> 11) as f64 / (1_u64 << 53) as f64
    }

    fn shuffled(&mut self, mut items: Vec<usize>) -> Vec<usize> {
        for i in (1..items.len()).rev() {
            let j = (self.next() * (i + 1) as f64) as usize;
            items.swap(i, j.min(i));
        }
        items
    }
}

/// `k` blocks on a ground of 0.1 with noise, shuffled; the groups of rows and columns.
fn planted(k: usize, seed: u64) -> (Array2<f64>, Vec<usize>, Vec<usize>) {
    let mut random = Random(seed);
    let rows = random.shuffled((0..8 * k).map(|i| i / 8).collect());
    let columns = random.shuffled((0..20 * k).map(|j| j / 20).collect());
    let table = Array2::from_shape_fn((8 * k, 20 * k), |(i, j)| {
        let inside = if rows[i] == columns[j] { 1.0 } else { 0.1 };
        inside + 0.1 * random.next()
    });
    (table, rows, columns)
}

#[test]
fn t_42_planted_blocks_of_24_rows_and_60_columns_are_found_again() {
    for (k, seed) in [(3, 5), (3, 6), (2, 7), (4, 8)] {
        let (table, rows, columns) = planted(k, seed);
        let found = co_cluster(&table, k, &Cancel::default()).unwrap();
        let pairs: BTreeSet<(usize, usize)> = found
            .rows
            .iter()
            .zip(&rows)
            .chain(found.columns.iter().zip(&columns))
            .map(|(found, planted)| (*found, *planted))
            .collect();
        assert_eq!(pairs.len(), k, "rows and columns of a block have one group: {pairs:?}");
        assert_eq!(co_cluster(&(1e200 * &table), k, &Cancel::default()), Some(found), "whatever the scale");
    }
}

#[test]
fn what_is_no_table_of_amounts_has_no_answer() {
    let (table, ..) = planted(2, 1);
    let none = |t: &Array2<f64>, k| assert_eq!(co_cluster(t, k, &Cancel::default()), None);
    for broken in [-0.5, f64::NAN, f64::INFINITY] {
        let mut t = table.clone();
        t[[3, 4]] = broken;
        none(&t, 2);
    }
    none(&table, 0);
    none(&table, 17);
    none(&Array2::zeros((5, 5)), 2);
    none(&Array2::zeros((0, 0)), 1);
    let given_up = Cancel::default();
    given_up.cancel();
    assert_eq!(co_cluster(&table, 2, &given_up), None);
    let one = co_cluster(&table, 1, &Cancel::default()).unwrap();
    assert!(one.rows.iter().chain(&one.columns).all(|g| *g == 0));
}

#[test]
fn rows_that_hold_nothing_do_no_harm() {
    let (mut table, rows, _) = planted(3, 9);
    table.row_mut(0).fill(0.0);
    let found = co_cluster(&table, 3, &Cancel::default()).unwrap();
    let others: BTreeSet<(usize, usize)> =
        found.rows.iter().zip(&rows).skip(1).map(|(a, b)| (*a, *b)).collect();
    assert_eq!(others.len(), 3);
    let same = Array2::from_elem((6, 6), 1.0);
    assert!(co_cluster(&same, 3, &Cancel::default()).is_some(), "nothing to part, and no panic");
}
