//! `frame`: one frame of any view without a terminal, as text, ANSI or SVG.

use std::{
    fs,
    io::{self, Write},
};

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use ratatui::{buffer::Buffer, layout::Rect};

use super::{
    cli::{ColorChoice, FrameArgs, FrameFormat},
    error::AppError,
    monitor::utc_offset_s,
    output::theme,
    reading::{Setting, read_once},
};
use crate::{
    engine::Session,
    model::RunId,
    store::Run,
    ui::{
        FrameContext, Place, Screen, ScreenOptions, Theme, VIEWS, background::Inline, snapshot, theme::Depth,
    },
};

/// Reads everything once, draws the view, writes it.
pub fn frame(arguments: &FrameArgs, setting: &Setting) -> Result<(), AppError> {
    if arguments.format == FrameFormat::Png {
        return Err(AppError::new(
            "cannot draw a PNG",
            "this build has no pixel renderer",
            "use --format svg and convert it, with resvg, rsvg-convert or a browser",
        ));
    }
    let view = view_name(&arguments.view)?;
    let keys = keys(&arguments.keys)?;
    let session = read_once(&arguments.paths, setting, true)?;
    let run = arguments.run.as_deref().map(|name| find_run(name, &session)).transpose()?;
    let theme = frame_theme(arguments, setting);
    let buffer = draw(arguments, setting, &session, (view, run, &keys), theme);
    let text = match arguments.format {
        FrameFormat::Text | FrameFormat::Png => snapshot::text(&buffer),
        FrameFormat::Ansi => snapshot::ansi(&buffer),
        FrameFormat::Svg => snapshot::svg(&buffer, &format!("epochscope, {view}")),
    };
    match &arguments.output {
        Some(path) => fs::write(path, text).map_err(|error| {
            AppError::new(
                format!("cannot write {}", path.display()),
                error.to_string(),
                "check the folder and its permissions",
            )
        }),
        None => Ok(io::stdout().write_all(text.as_bytes())?),
    }
}

fn draw(
    arguments: &FrameArgs,
    setting: &Setting,
    session: &Session,
    (view, run, keys): (&'static str, Option<RunId>, &[KeyEvent]),
    theme: Theme,
) -> Buffer {
    let context = FrameContext {
        store: &session.store,
        alerts: &session.alerts,
        health: &session.health,
        now: setting.clock.now(),
        theme: &theme,
        background: &Inline,
    };
    let options =
        ScreenOptions { utc_offset_s: utc_offset_s(setting), stale_after_s: setting.common.stale_after };
    let mut screen = Screen::new(theme, options);
    screen.open(&Place { view, run, step: arguments.at, ..Place::default() }, context);
    if arguments.at.is_some() {
        screen.selection_mut().cursor = arguments.at;
    }
    let area = Rect::new(0, 0, arguments.size.0, arguments.size.1);
    let mut buffer = Buffer::empty(area);
    for key in keys {
        // A key acts on what is on the screen. What only the monitor can do is not done.
        screen.draw(context, area, &mut buffer);
        let _ = screen.key(*key, context);
    }
    // Twice: a view may learn from the first frame where things are (scroll positions).
    screen.draw(context, area, &mut buffer);
    buffer.reset();
    screen.draw(context, area, &mut buffer);
    buffer
}

/// The events of keys as a user names them.
fn keys(text: &str) -> Result<Vec<KeyEvent>, AppError> {
    let key = |word: &str| {
        let code = match word {
            "Enter" => KeyCode::Enter,
            "Esc" => KeyCode::Esc,
            "Tab" => KeyCode::Tab,
            "Shift-Tab" => KeyCode::BackTab,
            "Space" => KeyCode::Char(' '),
            "Up" => KeyCode::Up,
            "Down" => KeyCode::Down,
            "Left" => KeyCode::Left,
            "Right" => KeyCode::Right,
            "PgUp" => KeyCode::PageUp,
            "PgDn" => KeyCode::PageDown,
            "Home" => KeyCode::Home,
            "End" => KeyCode::End,
            _ => {
                let mut chars = word.chars();
                match (chars.next(), chars.next()) {
                    (Some(c), None) => KeyCode::Char(c),
                    _ => {
                        return Err(AppError::new(
                            format!("there is no key {word}"),
                            "--keys takes characters and names of keys with blanks between them",
                            "write for example --keys \"Enter v v\"",
                        ));
                    }
                }
            }
        };
        Ok(KeyEvent::new(code, KeyModifiers::NONE))
    };
    text.split_whitespace().map(key).collect()
}

/// Pictures are in full colour unless a flag says otherwise: they do not depend on the terminal that asks for them.
fn frame_theme(arguments: &FrameArgs, setting: &Setting) -> Theme {
    let common = &setting.common;
    let surroundings = theme(common);
    let depth = match (arguments.format, common.color) {
        (FrameFormat::Svg, ColorChoice::Auto | ColorChoice::Always) => Depth::Rgb,
        (FrameFormat::Ansi, ColorChoice::Auto) => Depth::Ansi256,
        _ => surroundings.depth,
    };
    Theme::new(depth, common.ascii)
}

fn view_name(wanted: &str) -> Result<&'static str, AppError> {
    let names: Vec<&'static str> = VIEWS.iter().map(|make| make().name()).collect();
    names.iter().copied().find(|name| *name == wanted).ok_or_else(|| {
        AppError::new(
            format!("cannot draw the view `{wanted}`"),
            "there is no view of that name",
            format!("use one of {}", names.join(", ")),
        )
    })
}

/// The run of that path, or else the only one that its owner called so, or whose path ends in it, or else the only one that contains it.
fn find_run(name: &str, session: &Session) -> Result<RunId, AppError> {
    let exact = RunId::from(name);
    if session.store.run(&exact).is_some() {
        return Ok(exact);
    }
    let named: Vec<&Run> = session
        .store
        .runs()
        .filter(|run| run.title() == name || run.info().name.as_deref() == Some(name))
        .collect();
    if let [only] = named.as_slice() {
        return Ok(only.id().clone());
    }
    let among = |fits: &dyn Fn(&str) -> bool| -> Vec<RunId> {
        session.store.runs().map(|run| run.id().clone()).filter(|id| fits(id.as_str())).collect()
    };
    let ending = among(&|id| id.ends_with(name));
    let found = if ending.is_empty() { among(&|id| id.contains(name)) } else { ending };
    match found.as_slice() {
        [only] => Ok(only.clone()),
        several => Err(AppError::new(
            format!("cannot select the run `{name}`"),
            if several.is_empty() { "no run has that name" } else { "several runs have that in their name" },
            "`epochscope status` lists the runs",
        )),
    }
}
