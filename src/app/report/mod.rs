//! What the one-shot commands print: the same session as the screen shows, as text or JSON.

mod alert_record;
mod answers_json;
mod check;
mod number;
mod plain_table;
mod status_json;
mod status_table;

pub use alert_record::AlertRecord;
pub use check::{check_json, check_text, worst};
pub use number::Number;
pub use status_json::{VERSION, status_json};
pub use status_table::status_table;

use std::io::{self, Write};

use serde::Serialize;

/// Writes one JSON object and a line break.
fn write_json(value: &impl Serialize, out: &mut dyn Write) -> io::Result<()> {
    serde_json::to_writer(&mut *out, value).map_err(io::Error::from)?;
    out.write_all(b"\n")
}
