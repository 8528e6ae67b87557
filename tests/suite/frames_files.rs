//! Frames of the view *Files*.

use ratatui::crossterm::event::KeyCode;

use crate::{
    frames::{frame, open, survives_every_size, with_damage},
    sessions::{Desk, hostile},
};

fn files() -> Desk {
    let mut desk = with_damage();
    open(&mut desk, "files", "resnet18");
    desk
}

#[test]
fn damage_comes_first_with_place_and_reason() {
    let mut desk = files();
    insta::assert_snapshot!("files_80x24", frame(&mut desk, 80, 24));
    insta::assert_snapshot!("files_40x12", frame(&mut desk, 40, 12));
    desk.keys("j");
    insta::assert_snapshot!("files_200x50", frame(&mut desk, 200, 50));
    desk.key(KeyCode::Enter);
    let text = frame(&mut desk, 100, 24);
    assert!(text.contains("at byte 1048576, 64 bytes: checksum of the payload does not match"), "{text}");
    assert!(text.contains("unknown plugin"), "{text}");
}

#[test]
fn ignored_files_and_watched_folders_are_listed_with_reasons() {
    let mut desk = files();
    desk.keys("t");
    let text = frame(&mut desk, 100, 24);
    assert!(
        text.contains("412 files ignored")
            && text.contains("baseline/*.pt (411)")
            && text.contains("notes.txt "),
        "{text}"
    );
    desk.keys("t");
    let text = frame(&mut desk, 100, 24);
    assert!(
        text.contains("permission denied") && text.contains("a network file system tells nothing"),
        "{text}"
    );
}

#[test]
fn hostile_names_and_any_size_do_no_harm() {
    survives_every_size(with_damage, "files", "resnet18", &["j", "j", "o", "t", "t"]);
    survives_every_size(hostile, "files", "", &["j"]);
}
