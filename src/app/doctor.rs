//! `doctor`: what was found and why, what was skipped and where, how changes would be noticed, what the terminal can.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    io::{self, Write},
    path::{Path, PathBuf},
    sync::Arc,
};

use super::{
    cli::DoctorArgs,
    config::NAME,
    error::AppError,
    output::{Output, theme},
    reading::{Setting, read_once},
    terminal_query, trial,
};
use crate::{
    engine::Session,
    formats::FORMATS,
    ingest::file_system,
    model::{FileHealth, FileState, PassedOver, sanitise},
    ui::{numbers, theme::Depth},
};

/// Skips that are listed for one file; the rest is counted.
const SKIPS_LISTED: usize = 8;

/// Folders beside each other with files of the same ending and reason that are told of as one.
const SIBLINGS: usize = 4;

/// Reads everything once and reports.
pub fn doctor(arguments: &DoctorArgs, setting: &Setting, out: &mut dyn Write) -> Result<(), AppError> {
    if let Some(pattern) = &arguments.try_pattern {
        return trial::try_pattern(pattern, &arguments.paths, setting, out);
    }
    let session = read_once(&arguments.paths, setting, false)?;
    let roots = if arguments.paths.is_empty() { vec![PathBuf::from(".")] } else { arguments.paths.clone() };
    files(&session, out)?;
    ignored(&session, out)?;
    watching(&roots, &session, out)?;
    configuration(setting, out)?;
    terminal(setting, out)?;
    Ok(())
}

fn files(session: &Session, out: &mut dyn Write) -> io::Result<()> {
    let health = &session.health;
    writeln!(out, "files")?;
    let mut files: Vec<&FileHealth> = health.files.values().collect();
    files.sort_by(|a, b| a.path.cmp(&b.path));
    if files.is_empty() {
        let formats: Vec<&str> = FORMATS.iter().map(|f| f.name()).collect();
        writeln!(out, "  none that a format claims; formats: {}", formats.join(", "))?;
    }
    for file in files {
        let state = match &file.state {
            FileState::Dead(reason) => format!("dead: {}", sanitise(reason)),
            other => other.name().to_owned(),
        };
        writeln!(
            out,
            "  {}: {}, run {}, {} of {} bytes read, {} records, {state}",
            sanitise(&file.path),
            file.format,
            sanitise(file.run.as_str()),
            file.read_bytes,
            file.bytes,
            file.records,
        )?;
        for skip in file.skips.iter().take(SKIPS_LISTED) {
            writeln!(
                out,
                "    skipped {} at byte {}: {}",
                numbers::bytes(skip.bytes),
                skip.offset,
                sanitise(&skip.reason)
            )?;
        }
        let more = file.skip_count.saturating_sub(SKIPS_LISTED.min(file.skips.len()) as u64);
        if more > 0 {
            writeln!(out, "    and {more} more skips, {} in all", numbers::bytes(file.skipped_bytes))?;
        }
        if file.pending_bytes > 0 {
            writeln!(out, "    {} at the end are no whole record (yet)", numbers::bytes(file.pending_bytes))?;
        }
        for (name, count) in &file.oddities {
            writeln!(out, "    {count} × {}", sanitise(name))?;
        }
    }
    Ok(())
}

fn ignored(session: &Session, out: &mut dyn Write) -> io::Result<()> {
    let scan = &session.health.scan;
    writeln!(
        out,
        "\nsearch\n  {} folders, {} files seen, {} not claimed by any format",
        scan.folders, scan.files_seen, scan.ignored
    )?;
    let mut told = 0;
    for group in folded(&scan.passed_over) {
        let count = if group.count > 1 { format!(" ({} of them)", group.count) } else { String::new() };
        writeln!(out, "  passed over {}{count}: {}", sanitise(&group.path), sanitise(&group.reason))?;
        told += group.count;
    }
    let more = scan.ignored.saturating_sub(told);
    if more > 0 {
        writeln!(out, "  and {more} more in other folders")?;
    }
    for (path, reason) in &scan.unreadable {
        writeln!(out, "  cannot read {}: {}", sanitise(path), sanitise(reason))?;
    }
    Ok(())
}

/// Groups of many folders beside each other as one: `ckpt/*/*.pt`.
fn folded(groups: &[PassedOver]) -> Vec<PassedOver> {
    type Siblings<'a> = (&'a str, &'a str, &'a str);
    fn siblings(group: &PassedOver) -> Option<Siblings<'_>> {
        let (folder, name) = group.path.rsplit_once('/')?;
        Some((folder.rsplit_once('/').map_or("", |(above, _)| above), name, &group.reason))
    }
    let mut alike: BTreeMap<Siblings<'_>, (usize, u64)> = BTreeMap::new();
    for group in groups {
        if let Some(key) = siblings(group) {
            let (folders, count) = alike.entry(key).or_default();
            *folders += 1;
            *count += group.count;
        }
    }
    let mut told = BTreeSet::new();
    let mut all = Vec::new();
    for group in groups {
        let many = siblings(group).and_then(|key| Some((key, *alike.get(&key)?)));
        match many.filter(|(_, (folders, _))| *folders >= SIBLINGS) {
            Some((key, (_, count))) if told.insert(key) => {
                let above = if key.0.is_empty() { String::new() } else { format!("{}/", key.0) };
                let path = format!("{above}*/{}", key.1);
                all.push(PassedOver { path: path.into(), count, reason: Arc::clone(&group.reason) });
            }
            Some(_) => {}
            None => all.push(group.clone()),
        }
    }
    all
}

fn watching(roots: &[PathBuf], session: &Session, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "\nwatching")?;
    for root in roots {
        let shown = root.display().to_string();
        let how = match file_system(root) {
            Some((name, true)) => {
                format!("on {name}, a network file system: changes are looked for, the kernel does not tell")
            }
            Some((name, false)) => format!("on {name}: the kernel tells of changes, a slow look confirms"),
            None => "on an unknown file system".to_owned(),
        };
        writeln!(out, "  {}: {how}", sanitise(&shown))?;
    }
    let folders = session.health.scan.folders;
    for (name, file) in [("watches", "max_user_watches"), ("instances", "max_user_instances")] {
        let limit = fs::read_to_string(Path::new("/proc/sys/fs/inotify").join(file)).ok();
        let Some(limit) = limit.and_then(|text| text.trim().parse::<u64>().ok()) else { continue };
        write!(out, "  inotify {name}: at most {limit} for this user")?;
        if name == "watches" && folders > limit {
            write!(out, "; {folders} folders are more, the rest will be looked at by turns")?;
        }
        writeln!(out)?;
    }
    Ok(())
}

fn configuration(setting: &Setting, out: &mut dyn Write) -> io::Result<()> {
    let config = &setting.config;
    writeln!(out, "\nconfiguration")?;
    if config.files.is_empty() {
        let why = if setting.common.no_config {
            "not asked for: --no-config".to_owned()
        } else {
            format!("none: no {NAME} in this folder or above it, no epochscope/config.toml of the user")
        };
        writeln!(out, "  {why}")?;
    }
    for file in &config.files {
        writeln!(out, "  read {}", sanitise(&file.to_string_lossy()))?;
    }
    for flag in &config.flags {
        writeln!(out, "  {}", sanitise(flag))?;
    }
    for pattern in config.taught.patterns() {
        let name = sanitise(pattern.name());
        writeln!(out, "  pattern {name}: {}", sanitise(pattern.regex()))?;
    }
    Ok(())
}

fn terminal(setting: &Setting, out: &mut dyn Write) -> io::Result<()> {
    let style = Output::of(&setting.common);
    let theme = theme(&setting.common);
    writeln!(out, "\nterminal")?;
    let colours = match theme.depth {
        Depth::None => "none",
        Depth::Ansi16 => "16",
        Depth::Ansi256 => "256",
        Depth::Rgb => "16 million",
    };
    let variable = |name: &str| {
        std::env::var(name).map_or_else(|_| format!("{name} unset"), |v| format!("{name}={}", sanitise(&v)))
    };
    writeln!(
        out,
        "  colours: {colours} ({}, {}, {}); --color changes it",
        variable("TERM"),
        variable("COLORTERM"),
        variable("NO_COLOR")
    )?;
    writeln!(
        out,
        "  characters: {}",
        if theme.ascii { "ASCII only" } else { "Unicode with braille; --ascii if they look wrong" }
    )?;
    let Some(columns) = style.width else {
        return writeln!(out, "  standard output is no terminal: the rest cannot be asked");
    };
    let rows = rustix::termios::tcgetwinsize(io::stdout()).map_or(0, |size| size.ws_row);
    writeln!(out, "  size: {columns} × {rows}")?;
    let abilities = terminal_query::ask();
    let say = |known: Option<bool>| match known {
        Some(true) => "yes",
        Some(false) => "no",
        None => "it does not say",
    };
    writeln!(out, "  synchronized output: {} (asked for anyway; harmless)", say(abilities.synchronized))?;
    writeln!(out, "  images: sixel {}, kitty {}", say(abilities.sixel), say(abilities.kitty))?;
    writeln!(
        out,
        "  mouse: {}",
        if setting.common.no_mouse {
            "off by --no-mouse"
        } else {
            "on; --no-mouse leaves it to the terminal"
        }
    )?;
    if std::env::var_os("TMUX").is_some() {
        writeln!(out, "  inside tmux: copying needs `set -g set-clipboard on`")?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_beside_each_other_with_the_same_files_are_told_of_as_one() {
        let group = |path: &str, count| PassedOver { path: path.into(), count, reason: "unknown".into() };
        let mut groups: Vec<PassedOver> = (0..9).map(|n| group(&format!("ckpt/step{n}/*.pt"), 10)).collect();
        groups.push(group("ckpt/a/*.txt", 2));
        groups.extend((0..5).map(|n| group(&format!("logs/{n}/1000.log"), 1)));
        groups.push(group("one/model.pt", 1));
        groups.extend((0..4).map(|n| group(&format!("top{n}/*.bin"), 5)));
        let told = folded(&groups);
        let told: Vec<(&str, u64)> = told.iter().map(|g| (&*g.path, g.count)).collect();
        assert_eq!(
            told,
            [
                ("ckpt/*/*.pt", 90),
                ("ckpt/a/*.txt", 2),
                ("logs/*/1000.log", 5),
                ("one/model.pt", 1),
                ("*/*.bin", 20)
            ]
        );
    }
}
