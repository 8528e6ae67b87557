//! Matrices as pictures.

use super::*;
use crate::ui::{snapshot, theme::Depth};

struct Sample {
    now: Sums,
    names: Vec<String>,
    worst: Array2<f64>,
}

impl Sample {
    fn new(n: usize) -> Self {
        let counts = Array2::from_shape_fn((n, n), |(r, c)| match (r, c) {
            (r, c) if r == c => 90.0,
            (1, 2) => 7.0,
            _ if c == (r + 3) % n => 3.0,
            _ => 0.0,
        });
        let names = (0..n).map(|i| format!("class{i}")).collect();
        Self { now: Sums::new(counts), names, worst: Array2::zeros((0, 0)) }
    }

    fn matrix(&self) -> Matrix<'_> {
        Matrix {
            now: &self.now,
            before: None,
            scale_before: 1.0,
            worst: &self.worst,
            largest: 90.0,
            names: &self.names,
            sizes: &[],
            groups: &[],
            normalise: Normalise::Counts,
            colours: Scale::Root,
            diagonal: false,
            largest_share: 0.07,
        }
    }
}

fn drawn(
    matrix: &Matrix<'_>,
    zoom: Zoom,
    cursor: (usize, usize),
    theme: Theme,
    w: u16,
    h: u16,
) -> (String, Plan) {
    let area = Rect::new(0, 0, w, h);
    let mut buffer = Buffer::empty(area);
    let mode = Mode::choose(zoom, matrix.len(), 2, 7, area);
    let plan = Plan::new(matrix, mode, 7, cursor, area);
    draw(matrix, &plan, cursor, &theme, area, &mut buffer);
    (snapshot::text(&buffer), plan)
}

const PLAIN: Theme = Theme { depth: Depth::None, ascii: true };

#[test]
fn few_classes_are_numbers_with_rows_true() {
    let sample = Sample::new(5);
    let (text, plan) = drawn(&sample.matrix(), Zoom::Auto, (1, 2), PLAIN, 40, 6);
    assert!(matches!(plan, Plan::Counts { .. }));
    assert_eq!(plan.note(5, 5, &Theme::default()), "");
    let second = text.lines().nth(2).unwrap();
    let numbers: Vec<&str> = second.split_whitespace().collect();
    assert_eq!(numbers, ["class1", ".", "90", ">7", ".", "3"], "{text}");
    assert!(text.starts_with("truev"), "{text}");
}

#[test]
fn numbers_that_do_not_fit_scroll_and_say_so() {
    let sample = Sample::new(100);
    let theme = Theme::new(Depth::Rgb, false);
    let area = Rect::new(0, 0, 60, 20);
    assert_eq!(Mode::choose(Zoom::Auto, 100, 2, 7, area), Mode::Map);
    assert_eq!(map_side(&theme, 7, false, area), 38);
    assert_eq!(map_side(&theme, 7, true, area), 19, "a sign needs a cell for itself");
    let (text, plan) = drawn(&sample.matrix(), Zoom::Counts, (50, 70), theme, 60, 20);
    let Plan::Counts { rows, columns, .. } = &plan else { panic!("{plan:?}") };
    assert!(rows.contains(&50) && columns.contains(&70), "{plan:?}");
    assert!(text.contains("class50"), "{text}");
    assert!(plan.note(100, 100, &theme).contains("of 100"));
}

#[test]
fn the_cursor_is_always_inside_of_what_is_visible() {
    for n in [1, 2, 10, 97] {
        for room in 1..12 {
            for index in 0..n {
                let r = plan::around(index, n, room);
                assert!(r.contains(&index) && r.end <= n && r.len() == room.min(n), "{n} {room} {index}");
            }
        }
    }
}

#[test]
fn differences_have_signs_and_need_no_colour() {
    let now = Sample::new(5);
    let mut before = Sample::new(5);
    before.now.counts[[1, 2]] = 12.0;
    before.now.counts[[0, 4]] = 2.0;
    before.now.counts[[3, 3]] = 80.0;
    let mut matrix = now.matrix();
    matrix.before = Some(&before.now);
    let (text, _) = drawn(&matrix, Zoom::Auto, (0, 0), PLAIN, 40, 6);
    assert!(text.contains("-5") && text.contains("-2") && text.contains("+10"), "{text}");
    matrix.largest = 10.0;
    let (text, _) = drawn(&matrix, Zoom::Map, (0, 0), PLAIN, 40, 6);
    assert!(text.lines().nth(2).unwrap().ends_with("..v..") || text.contains("..v.."), "{text}");
    assert!(text.contains('^'), "{text}");
}

#[test]
fn groups_are_bands_and_borders_without_colours() {
    let sample = Sample::new(6);
    let mut matrix = sample.matrix();
    matrix.groups = &[0, 0, 1, 1, 2, 2];
    let (text, _) = drawn(&matrix, Zoom::Auto, (2, 2), PLAIN, 60, 8);
    assert!(text.lines().nth(1).unwrap().matches('|').count() == 2, "{text}");
    let (text, _) = drawn(&matrix, Zoom::Map, (2, 2), PLAIN, 60, 8);
    let marked: Vec<usize> = (1..7).filter(|i| text.lines().nth(*i).unwrap().contains('[')).collect();
    assert_eq!(marked, [3, 4], "{text}");
    assert!(
        text.lines().next().unwrap().ends_with("  v_") || text.lines().next().unwrap().contains("v_"),
        "{text}"
    );
}

#[test]
fn colours_rise_as_they_are_told_to() {
    assert_eq!(Scale::Root.warmth(0.25, 1.0), 0.5);
    assert_eq!(Scale::Linear.warmth(0.01, 0.02), 0.5);
    assert!((Scale::Log.warmth(0.1, 1.0) - 2.0 / 3.0).abs() < 1e-12);
    assert_eq!((Scale::Log.warmth(1e-9, 1.0), Scale::Log.warmth(0.0, 1.0)), (0.13, 0.0));
    assert!(matches!(Sample::new(3).matrix().heat(0, 0), Heat::Diagonal(_)));
    let sample = Sample::new(3);
    let on = Matrix { diagonal: true, ..sample.matrix() };
    assert!(matches!(on.heat(0, 0), Heat::Share(_)));
}

#[test]
fn any_area_is_drawn_without_harm() {
    let sample = Sample::new(12);
    for w in 0..30 {
        for h in 0..9 {
            for zoom in [Zoom::Auto, Zoom::Counts, Zoom::Map] {
                drawn(&sample.matrix(), zoom, (11, 11), Theme::new(Depth::Ansi256, false), w, h);
            }
        }
    }
}

#[test]
fn counts_are_shortened_with_units() {
    assert_eq!(
        [count(12.0, 4), count(12_345.0, 4), count(1.5, 4), count(1e9, 3)],
        ["12", "12k", "1.5", "1G"]
    );
}

#[test]
fn classes_without_a_name_have_an_empty_head() {
    let mut sample = Sample::new(3);
    sample.names = vec![String::new(), "\u{a0}".to_owned(), "dog".to_owned()];
    let (text, plan) = drawn(&sample.matrix(), Zoom::Counts, (0, 0), PLAIN, 60, 10);
    assert!(matches!(plan, Plan::Counts { .. }), "{plan:?}");
    assert!(text.contains("dog"), "{text}");
}
