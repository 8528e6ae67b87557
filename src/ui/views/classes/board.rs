//! The matrix that is drawn: classes in their order, several to a cell where they would not fit.

use ndarray::Array2;

use super::{compare::Reference, figures::Figures, standing::Standing};
use crate::{
    analysis::classes::{Arrangement, shared_level, super_cells},
    model::PackedMatrix,
    ui::{
        text::columns,
        widgets::matrix::{Matrix, Normalise, Scale, Sums},
    },
};

/// Columns that the name of a cell of several classes is given.
const SEVERAL: usize = 14;

/// Which classes make a cell.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Grain {
    /// Each one.
    Class,
    /// The groups.
    Group,
    /// As many as this many cells need.
    Cells(usize),
}

/// What a board was made from.
#[derive(Clone, PartialEq)]
struct Made {
    figures: u64,
    standing: u64,
    grain: Grain,
    normalise: Normalise,
    reference: Option<PackedMatrix>,
}

/// The matrix by cells.
#[derive(Default)]
pub(super) struct Board {
    made: Option<Made>,
    /// Classes of each cell.
    pub cells: Vec<Vec<usize>>,
    /// The cell of each class.
    pub cell_of: Vec<usize>,
    now: Sums,
    before: Option<Sums>,
    worst: Array2<f64>,
    /// The pair of classes behind each number of `worst`.
    worst_pairs: Vec<(usize, usize)>,
    largest: f64,
    largest_share: f64,
    names: Vec<String>,
    sizes: Vec<usize>,
    groups: Vec<usize>,
}

impl Board {
    /// The longest name of a row, in columns, before the cells are chosen.
    pub fn names_width(grain: Grain, figures: &Figures, arrangement: &Arrangement) -> usize {
        let digits = arrangement.order.len().to_string().len();
        // A look at the first few hundred names is enough to set a width, and costs the same in every frame.
        let longest = match grain {
            Grain::Group => arrangement.group_names.iter().take(400).map(|name| columns(name)).max(),
            Grain::Class | Grain::Cells(_) => figures.names.iter().take(400).map(|name| columns(name)).max(),
        };
        let longest = longest.unwrap_or(0).max(digits);
        if matches!(grain, Grain::Cells(most) if most < arrangement.order.len()) {
            longest.max(SEVERAL)
        } else {
            longest
        }
    }

    /// Adds up anew if anything that it shows is another.
    pub fn refresh(
        &mut self,
        figures: &Figures,
        standing: &Standing,
        grain: Grain,
        normalise: Normalise,
        reference: Option<&Reference>,
    ) {
        let made = Made {
            figures: figures.version,
            standing: standing.version,
            grain,
            normalise,
            reference: reference.map(|r| r.matrix.clone()),
        };
        if self.made.as_ref() == Some(&made) {
            return;
        }
        let Some(matrix) = &figures.matrix else { return };
        let arrangement = &standing.arrangement;
        let order = &arrangement.order;
        self.cells = match grain {
            Grain::Class => order.iter().map(|class| vec![*class]).collect(),
            Grain::Group => {
                (0..arrangement.group_count()).map(|g| arrangement.members(g).collect()).collect()
            }
            Grain::Cells(most) => super_cells(arrangement.tree.as_ref(), order, most)
                .into_iter()
                .map(|places| order[places].to_vec())
                .collect(),
        };
        self.cell_of = vec![0; matrix.classes()];
        for (cell, class) in self.cells.iter().enumerate().flat_map(|(i, c)| c.iter().map(move |c| (i, *c))) {
            if let Some(of) = self.cell_of.get_mut(class) {
                *of = cell;
            }
        }
        self.now = self.sums(matrix);
        self.before = reference.map(|r| self.sums(&r.matrix));
        self.sizes = self.cells.iter().map(Vec::len).collect();
        self.find_worst(matrix, normalise);
        let first =
            |cell: &Vec<usize>| cell.first().and_then(|class| arrangement.groups.get(*class)).copied();
        // Groups that may be chance are not marked.
        let clear = grain == Grain::Group || !arrangement.is_weak();
        self.groups = self.cells.iter().filter_map(first).filter(|_| clear).collect();
        self.names = match grain {
            Grain::Group => arrangement.group_names.clone(),
            _ => self.cells.iter().map(|cell| cell_name(cell, figures)).collect(),
        };
        let probe = Matrix { largest: 0.0, ..self.matrix(normalise, Scale::Root, false, reference) };
        let n = self.cells.len();
        let (mut largest, mut largest_share) = (0.0_f64, 0.0_f64);
        for (row, column) in (0..n).flat_map(|r| (0..n).map(move |c| (r, c))) {
            largest = largest.max(probe.value(row, column).abs());
            if row != column {
                let share = self.worst.get((row, column)).copied();
                largest_share =
                    largest_share.max(share.unwrap_or_else(|| self.now.share(normalise, row, column)));
            }
        }
        (self.largest, self.largest_share) = (largest, largest_share);
        self.made = Some(made);
    }

    fn sums(&self, matrix: &PackedMatrix) -> Sums {
        let mut counts = Array2::zeros((self.cells.len(), self.cells.len()));
        for (row, column, count) in matrix.cells() {
            counts[[self.cell_of[row], self.cell_of[column]]] += count;
        }
        Sums::new(counts)
    }

    fn find_worst(&mut self, matrix: &PackedMatrix, normalise: Normalise) {
        let n = self.cells.len();
        self.worst_pairs.clear();
        if self.sizes.iter().all(|size| *size < 2) {
            self.worst = Array2::zeros((0, 0));
            return;
        }
        self.worst = Array2::zeros((n, n));
        self.worst_pairs = vec![(0, 0); n * n];
        let total = matrix.total();
        for (row, column, count) in matrix.cells().filter(|(r, c, _)| r != c) {
            let of = match normalise {
                Normalise::Columns => matrix.column_sums()[column],
                Normalise::Total => total,
                Normalise::Counts | Normalise::Rows => matrix.row_sums()[row],
            };
            let (a, b) = (self.cell_of[row], self.cell_of[column]);
            if of > 0.0 && count / of > self.worst[[a, b]] {
                self.worst[[a, b]] = count / of;
                self.worst_pairs[a * n + b] = (row, column);
            }
        }
    }

    /// The pair of different classes in a cell that is mixed up most, with its share.
    pub fn worst_pair(&self, row: usize, column: usize) -> Option<(usize, usize, f64)> {
        let share = self.worst.get((row, column)).copied().filter(|share| *share > 0.0)?;
        let (a, b) = self.worst_pairs.get(row * self.cells.len() + column)?;
        Some((*a, *b, share))
    }

    /// The cells of two classes.
    pub fn place(&self, (row, column): (usize, usize)) -> (usize, usize) {
        let of = |class: usize| self.cell_of.get(class).copied().unwrap_or(0);
        (of(row), of(column))
    }

    /// The first classes of two cells.
    pub fn classes_at(&self, (row, column): (usize, usize)) -> Option<(usize, usize)> {
        Some((*self.cells.get(row)?.first()?, *self.cells.get(column)?.first()?))
    }

    /// Whether cells are the groups.
    pub fn is_by_group(&self) -> bool {
        self.made.as_ref().is_some_and(|made| made.grain == Grain::Group)
    }

    /// For drawing.
    pub fn matrix(
        &self,
        normalise: Normalise,
        colours: Scale,
        diagonal: bool,
        reference: Option<&Reference>,
    ) -> Matrix<'_> {
        let several = self.groups.iter().any(|g| Some(g) != self.groups.first());
        Matrix {
            now: &self.now,
            before: self.before.as_ref().filter(|_| reference.is_some()),
            scale_before: reference.map_or(1.0, |r| r.scale),
            worst: &self.worst,
            largest: self.largest,
            names: &self.names,
            sizes: &self.sizes,
            groups: if several && self.groups.len() == self.cells.len() { &self.groups } else { &[] },
            normalise,
            colours,
            diagonal,
            largest_share: self.largest_share,
        }
    }
}

/// The name of a class; of several, their number and the level of a hierarchy that they share, else the first.
fn cell_name(cell: &[usize], figures: &Figures) -> String {
    match cell {
        [class] => figures.name(*class),
        several => {
            let name = |class: usize| figures.name(class);
            let level = shared_level(several, name);
            let first = || several.first().map_or_else(String::new, |class| format!("{}…", name(*class)));
            format!("×{} {}", several.len(), level.unwrap_or_else(first))
        }
    }
}
