//! The view *Files*: what was found, how far it was read, what was skipped and why.

use ratatui::{buffer::Buffer, layout::Rect};

use crate::{
    model::{FileHealth, FileId, FileState},
    ui::{
        Action, Binding, Explanation, FrameContext, Outcome, Place, Selection, Theme, View,
        filter::Filter,
        keymap::Key,
        numbers::{bytes, count, percent},
        text::{fit, put},
        theme::Role,
        widgets::{
            prose,
            table::{Cell, Column, Keep, Layout, Window, position},
        },
    },
};

mod detail;
mod explanations;
mod search;

/// The view.
pub fn view() -> Box<dyn View> {
    Box::new(Files::default())
}

static BINDINGS: &[Binding] = &[
    Binding { keys: &[Key::Char('t')], action: Action::Kind, help: "files read, files ignored, folders" },
    Binding { keys: &[Key::Char('o')], action: Action::Sort, help: "order: trouble, path, size, newest" },
    Binding { keys: &[Key::Enter], action: Action::Open, help: "all there is to say of the file" },
];

/// What the table lists.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
enum Listed {
    /// Files that a format claimed.
    #[default]
    Read,
    /// Files that none did, and why.
    Ignored,
    /// Watched folders, and what could not be read.
    Folders,
}

/// The order of the table.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
enum Order {
    /// Dead, damaged and gone ones first, then by path.
    #[default]
    Trouble,
    Path,
    Size,
    Newest,
}

impl Order {
    fn name(self) -> &'static str {
        match self {
            Self::Trouble => "trouble first",
            Self::Path => "by path",
            Self::Size => "by size",
            Self::Newest => "newest first",
        }
    }

    fn next(self) -> Self {
        match self {
            Self::Trouble => Self::Path,
            Self::Path => Self::Size,
            Self::Size => Self::Newest,
            Self::Newest => Self::Trouble,
        }
    }
}

/// State of the view.
#[derive(Default)]
struct Files {
    listed: Listed,
    order: Order,
    /// By id, so that new files do not move it.
    selected: Option<FileId>,
    /// The row selected in the other two lists.
    line: usize,
    opened: bool,
    window: Window,
    /// Where rows were drawn last and which list index the first one had.
    rows: Rect,
}

const PATH: usize = 0;
const STATE: usize = 1;
const READ: usize = 2;
const SKIPS: usize = 3;
const RECORDS: usize = 4;
const FORMAT: usize = 5;
const RUN: usize = 6;

const COLUMNS: [Column; 7] = [
    Column::text("file", 14, 90, 0, Keep::Ends),
    Column::text("state", 11, 11, 1, Keep::Start),
    Column::number("read", 8, 3),
    Column::number("skips", 6, 2),
    Column::number("records", 7, 4),
    Column::text("format", 8, 8, 6, Keep::Start),
    Column::text("run", 16, 40, 7, Keep::End),
];

impl View for Files {
    fn name(&self) -> &'static str {
        "files"
    }

    fn title(&self) -> &'static str {
        "Files"
    }

    fn summary(&self) -> &'static str {
        "what was found, how far it was read, what was skipped and why"
    }

    fn bindings(&self) -> &'static [Binding] {
        BINDINGS
    }

    fn explanations(&self) -> &'static [Explanation] {
        explanations::EXPLANATIONS
    }

    fn act(&mut self, action: Action, context: FrameContext<'_>, selection: &mut Selection) -> Outcome {
        let page = isize::try_from(self.rows.height.max(2) - 1).unwrap_or(1);
        match action {
            Action::Down => self.step(1, context, selection),
            Action::Up => self.step(-1, context, selection),
            Action::PageDown => self.step(page, context, selection),
            Action::PageUp => self.step(-page, context, selection),
            Action::First => self.step(isize::MIN, context, selection),
            Action::Last => self.step(isize::MAX, context, selection),
            Action::Kind => {
                self.listed = match self.listed {
                    Listed::Read => Listed::Ignored,
                    Listed::Ignored => Listed::Folders,
                    Listed::Folders => Listed::Read,
                };
                (self.line, self.window, self.opened) = (0, Window::default(), false);
            }
            Action::Sort => {
                self.order = self.order.next();
                return Outcome::Say(format!("files {}", self.order.name()));
            }
            Action::Open => self.opened = self.listed == Listed::Read,
            Action::Back if self.opened => self.opened = false,
            Action::Copy => {
                let files = self.sorted(context, selection);
                return match files.get(self.index(&files)) {
                    Some(file) => Outcome::Request(crate::ui::Request::Copy(file.path.to_string())),
                    None => Outcome::Done,
                };
            }
            _ => return Outcome::Ignored,
        }
        Outcome::Done
    }

    fn show(&mut self, place: &Place, context: FrameContext<'_>, _: &mut Selection) {
        if let Some(run) = &place.run {
            self.selected = context.health.files_of(run).next().map(|f| f.id);
        }
    }

    fn render(&mut self, context: FrameContext<'_>, selection: &Selection, area: Rect, buffer: &mut Buffer) {
        let area = area.intersection(buffer.area);
        self.rows = Rect::ZERO;
        if area.height < 2 || area.width < 8 {
            return;
        }
        Self::header(context, area, buffer);
        let body = Rect { y: area.y + 1, height: area.height - 1, ..area };
        match self.listed {
            Listed::Ignored => search::ignored(context, &mut self.line, &mut self.window, body, buffer),
            Listed::Folders => search::folders(context, &mut self.line, &mut self.window, body, buffer),
            Listed::Read if context.health.files.is_empty() => empty(context, body, buffer),
            Listed::Read => self.files(context, selection, body, buffer),
        }
    }

    fn click(&mut self, _: u16, row: u16, context: FrameContext<'_>, selection: &mut Selection) -> Outcome {
        if self.listed != Listed::Read || row < self.rows.y || row >= self.rows.bottom() {
            return Outcome::Ignored;
        }
        let files = self.sorted(context, selection);
        if let Some(file) = files.get(self.window.top + usize::from(row - self.rows.y)) {
            self.opened = self.selected == Some(file.id) && !self.opened;
            self.selected = Some(file.id);
        }
        Outcome::Done
    }
}

impl Files {
    fn step(&mut self, by: isize, context: FrameContext<'_>, selection: &Selection) {
        if self.listed != Listed::Read {
            self.line = self.line.saturating_add_signed(by);
            return;
        }
        let files = self.sorted(context, selection);
        let next = self.index(&files).saturating_add_signed(by).min(files.len().saturating_sub(1));
        self.selected = files.get(next).map(|f| f.id);
    }

    fn index(&self, files: &[&FileHealth]) -> usize {
        self.selected.and_then(|id| files.iter().position(|f| f.id == id)).unwrap_or(0)
    }

    /// The files that the filter lets through, in order. Comparing a few thousand paths is cheaper than drawing.
    fn sorted<'a>(&self, context: FrameContext<'a>, selection: &Selection) -> Vec<&'a FileHealth> {
        let mut filter = Filter::new(&selection.filter);
        let mut files: Vec<&FileHealth> =
            context.health.files.values().filter(|f| filter.matches(&f.path)).collect();
        match self.order {
            Order::Path => files.sort_by(|a, b| a.path.cmp(&b.path)),
            Order::Trouble => {
                files.sort_by(|a, b| trouble(b).cmp(&trouble(a)).then_with(|| a.path.cmp(&b.path)));
            }
            Order::Size => files.sort_by_key(|f| std::cmp::Reverse(f.bytes)),
            Order::Newest => files.sort_by(|a, b| b.modified.0.total_cmp(&a.modified.0)),
        }
        files
    }

    fn header(context: FrameContext<'_>, area: Rect, buffer: &mut Buffer) {
        let files = &context.health.files;
        let (mut read, mut size, mut records, mut skipped) = (0_u64, 0_u64, 0_u64, 0_u64);
        let (mut damaged, mut gone) = (0_u64, 0_u64);
        for f in files.values() {
            read = read.saturating_add(f.read_bytes);
            size = size.saturating_add(f.bytes);
            records = records.saturating_add(f.records);
            skipped = skipped.saturating_add(f.skipped_bytes);
            match trouble(f) {
                0 => {}
                GONE => gone += 1,
                _ => damaged += 1,
            }
        }
        let scan = &context.health.scan;
        let theme = context.theme;
        let dot = theme.glyph(" · ", " | ");
        let mut parts = vec![plural(files.len() as u64, "file", "files")];
        if damaged > 0 {
            parts.push(format!(
                "{} {damaged} with damage ({} skipped)",
                theme.glyph("▲", "!"),
                bytes(skipped)
            ));
        }
        if gone > 0 {
            parts.push(format!("{gone} gone"));
        }
        if read < size {
            parts.push(format!("{} of {} read", bytes(read), bytes(size)));
        } else {
            parts.push(format!("all {} read", bytes(read)));
        }
        parts.push(format!("{} records", count(records)));
        if scan.ignored > 0 {
            parts.push(format!("{} ignored", count(scan.ignored)));
        }
        if !scan.unreadable.is_empty() {
            parts.push(format!("{} unreadable", scan.unreadable.len()));
        }
        if !scan.complete {
            parts.push("still searching".to_owned());
        }
        let style = if damaged > 0 { theme.style(Role::Warn) } else { theme.title() };
        let text = fit(&parts.join(dot), usize::from(area.width), theme.ascii);
        put(buffer, area.x, area.y, &text, area.width, style);
    }

    fn files(&mut self, context: FrameContext<'_>, selection: &Selection, area: Rect, buffer: &mut Buffer) {
        let theme = context.theme;
        let files = self.sorted(context, selection);
        let index = self.index(&files);
        let Some(file) = files.get(index).copied() else {
            let text = format!("no file matches {:?}; Esc clears the filter", selection.filter);
            prose::draw(theme, &[(text, theme.muted())], area, buffer);
            return;
        };
        if self.opened {
            detail::draw(context, selection, file, area, buffer);
            return;
        }
        let wide = area.width >= 150;
        let below = if wide || area.height < 10 {
            0
        } else {
            detail::height(context, selection, file, area.width).min(area.height / 2)
        };
        let list_width = if wide { area.width - 56 } else { area.width };
        let list = Rect { width: list_width, height: area.height - below, ..area };
        self.table(theme, &files, index, list, buffer);
        if wide {
            let right = Rect { x: area.x + list_width + 1, width: 55, ..area };
            detail::draw(context, selection, file, right, buffer);
        } else if below > 0 {
            let low = Rect { y: list.bottom(), height: below, ..area };
            detail::draw(context, selection, file, low, buffer);
        }
    }

    fn table(&mut self, theme: &Theme, files: &[&FileHealth], index: usize, area: Rect, buffer: &mut Buffer) {
        let columns = fitted(files, area.width);
        let layout = Layout::new(&columns, area.width);
        let sorted = match self.order {
            Order::Trouble => Some((STATE, true)),
            Order::Path => Some((PATH, false)),
            Order::Size => Some((READ, true)),
            Order::Newest => None,
        };
        layout.head(&columns, sorted, theme, Rect { height: 1, ..area }, buffer);
        self.rows = Rect { y: area.y + 1, height: area.height.saturating_sub(1), ..area };
        let visible = self.window.follow(index, files.len(), usize::from(self.rows.height));
        for (y, i) in (self.rows.y..).zip(visible.clone()) {
            let place = Rect { y, height: 1, ..area };
            layout.row(&columns, |c| cell(theme, files[i], c), i == index, theme, place, buffer);
        }
        let note = position(&visible, files.len(), theme.ascii);
        crate::ui::text::put_right(buffer, area.x, area.right(), area.y, &note, theme.muted());
    }
}

/// The path column no wider than the longest of the first few hundred paths.
fn fitted(files: &[&FileHealth], width: u16) -> [Column; 7] {
    let mut columns = COLUMNS;
    let longest = |text: fn(&FileHealth) -> &str| {
        files.iter().take(400).map(|f| crate::ui::text::columns(text(f))).max().unwrap_or(0) as u16
    };
    columns[PATH].max = longest(|f| &f.path).clamp(columns[PATH].min, columns[PATH].max);
    columns[PATH].min = columns[PATH].max.min(width * 2 / 5).max(columns[PATH].min);
    columns[RUN].max = longest(|f| f.run.as_str()).clamp(columns[RUN].min, columns[RUN].max);
    columns
}

/// The trouble of a file that was deleted: nothing of it is damaged.
const GONE: u8 = 1;

/// How much a file asks for attention: 0 is none.
fn trouble(file: &FileHealth) -> u8 {
    match file.state {
        FileState::Dead(_) => 3,
        _ if file.skip_count > 0 => 2,
        FileState::Gone => GONE,
        _ => 0,
    }
}

/// Glyph, word and look of a file's state.
fn state(theme: &Theme, file: &FileHealth) -> Cell {
    let (glyph, style) = match (&file.state, file.skip_count) {
        (FileState::Dead(_), _) => (theme.glyph("✗", "X"), theme.style(Role::Bad)),
        (FileState::Gone, _) => (theme.glyph("○", "o"), theme.style(Role::Warn)),
        (_, 1..) => (theme.glyph("▲", "!"), theme.style(Role::Warn)),
        (FileState::Waiting | FileState::Reading, _) => (theme.glyph("…", "."), theme.muted()),
        (FileState::Following, _) => (theme.glyph("●", "*"), theme.style(Role::Good)),
        (FileState::Ended, _) => (theme.glyph("■", "="), theme.muted()),
    };
    Cell::new(format!("{glyph} {}", file.state.name()), style)
}

fn cell(theme: &Theme, file: &FileHealth, column: usize) -> Cell {
    match column {
        PATH => Cell::plain(&*file.path),
        STATE => state(theme, file),
        READ if file.read_bytes + file.pending_bytes < file.bytes => {
            let share = (file.read_bytes as f64 / file.bytes as f64).min(0.99);
            Cell::plain(format!("{} {}", percent(share), short_bytes(file.bytes)))
        }
        READ => Cell::plain(bytes(file.bytes)),
        SKIPS if file.skip_count == 0 => Cell::new("0", theme.muted()),
        SKIPS => Cell::new(count(file.skip_count), theme.style(Role::Warn)),
        RECORDS => Cell::plain(count(file.records)),
        FORMAT => Cell::new(file.format, theme.muted()),
        _ => Cell::plain(file.run.as_str()),
    }
}

/// `3G`, `12M`: for half of a narrow cell.
fn short_bytes(n: u64) -> String {
    bytes(n).split_once(' ').map_or_else(String::new, |(number, unit)| {
        let whole = number.split('.').next().unwrap_or(number);
        format!("{whole}{}", unit.chars().next().unwrap_or('B'))
    })
}

fn plural(n: u64, one: &str, many: &str) -> String {
    format!("{} {}", count(n), if n == 1 { one } else { many })
}

fn empty(context: FrameContext<'_>, area: Rect, buffer: &mut Buffer) {
    let (theme, scan) = (context.theme, &context.health.scan);
    let what = if scan.complete {
        format!(
            "No log was found: {} in {} were looked at, and no format claimed one.",
            plural(scan.files_seen, "file", "files"),
            plural(scan.folders, "folder", "folders"),
        )
    } else {
        format!("Still searching: {} so far.", plural(scan.folders, "folder", "folders"))
    };
    let how = "Read are TensorBoard event files (events.out.tfevents.*), native logs (*.scope.jsonl), JSON lines \
               of metrics and CSV or TSV tables with a header. Files that appear later are picked up by themselves.";
    let keys = "t lists what was ignored and why; `epochscope doctor` says the same outside of this screen.";
    let paragraphs = [
        (what, theme.title()),
        (String::new(), theme.muted()),
        (how.to_owned(), ratatui::style::Style::new()),
        (String::new(), theme.muted()),
        (keys.to_owned(), theme.muted()),
    ];
    prose::draw(theme, &paragraphs, area, buffer);
}
