//! What every view must do, and what the screen looks like.

use ratatui::crossterm::event::KeyCode;

use crate::sessions::{full, text};

#[test]
fn look() {
    let mut desk = full();
    let sizes = std::env::var("LOOK").unwrap_or_else(|_| "80x24".to_owned());
    for size in sizes.split(',') {
        let (w, h) = size.split_once('x').unwrap();
        let (w, h) = (w.parse().unwrap(), h.parse().unwrap());
        println!("{}", text(&desk.draw(w, h)));
        desk.key(KeyCode::Char('2'));
        println!("{}", text(&desk.draw(w, h)));
        desk.key(KeyCode::Char('1'));
    }
}
