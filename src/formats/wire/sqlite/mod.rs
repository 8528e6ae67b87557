//! A SQLite database that somebody else is writing, read from bytes in memory.
//!
//! SQLite would lock the file, create a `-shm` beside it, or roll back and delete a journal, all in a folder that is
//! only watched. Here the bytes of the file and of the `-wal` or `-journal` beside it are joined into the state after
//! the last whole transaction ([`image`]), given to a SQLite that has no file system to touch, and queried.
//!
//! The schema of a database is a program, so that a database is as little trusted as any other log: no views, no
//! triggers, no virtual tables, no generated columns, no extensions; the work of a query and the bytes of its values
//! are bounded by the database's own size.

pub mod header;
pub mod image;
pub mod journal;
pub mod wal;

use std::{fmt, io::Read};

use rusqlite::{
    Connection, ErrorCode, MAIN_DB, OpenFlags, Row, config::DbConfig, limits::Limit, types::ValueRef,
};

use image::Image;

/// A row larger than this ends the reading.
const ROW_LIMIT: i32 = 16 << 20;
/// Instructions of SQLite's machine between two looks at the budget.
const LOOK_EVERY: i32 = 1000;
/// Instructions that even a small database may take: its schema is read with some.
const BUDGET: u64 = 4_000_000;

/// Why a database, or a part of it, cannot be read.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Trouble {
    /// Copied in the middle of a change or not written far enough; a later copy will do.
    NotYet,
    /// It will stay so.
    Refused(&'static str),
    /// SQLite's own words.
    Failed(String),
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotYet => f.write_str("not whole yet"),
            Self::Refused(reason) => f.write_str(reason),
            Self::Failed(reason) => f.write_str(reason),
        }
    }
}

impl std::error::Error for Trouble {}

impl From<rusqlite::Error> for Trouble {
    fn from(error: rusqlite::Error) -> Self {
        match error.sqlite_error_code() {
            Some(ErrorCode::OperationInterrupted) => {
                Self::Refused("more work than a database of its size can need")
            }
            Some(ErrorCode::TooBig) => Self::Refused("a row of more than 16 MiB"),
            _ => Self::Failed(error.to_string()),
        }
    }
}

/// An opened database.
#[derive(Debug)]
pub struct Database {
    connection: Connection,
    /// Bytes of values that an honest database of this size can give.
    value_bytes: u64,
}

impl Database {
    /// The state after the last whole transaction. `log` and `journal` are the files beside it, empty where they are
    /// not there.
    pub fn open(file: &[u8], log: &[u8], journal: &[u8]) -> Result<Self, Trouble> {
        let image = Image::of(file, log, journal)?;
        let bytes = image.bytes();
        let length = usize::try_from(bytes).map_err(|_| Trouble::Refused("too large"))?;
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let mut connection = Connection::open_in_memory_with_flags(flags)?;
        guard(&mut connection, bytes)?;
        connection.deserialize_read_exact(MAIN_DB, image.reader().take(bytes), length, true)?;
        connection.execute_batch(
            "PRAGMA trusted_schema=OFF; PRAGMA query_only=ON; PRAGMA cell_size_check=ON; PRAGMA temp_store=MEMORY;",
        )?;
        Ok(Self { connection, value_bytes: bytes.saturating_mul(2).saturating_add(1 << 20) })
    }

    /// Names of the ordinary tables: neither views nor virtual tables.
    pub fn tables(&self) -> Result<Vec<String>, Trouble> {
        let mut names = Vec::new();
        self.rows("SELECT name FROM sqlite_schema WHERE type = 'table' AND rootpage > 0", |row| {
            names.extend(text(row, 0).map(str::to_owned));
        })?;
        Ok(names)
    }

    /// The query for those of `columns` that `table` has, in that order, NULL for the others; rows in the order in
    /// which they were inserted. Generated columns count as missing.
    pub fn select(&self, table: &str, columns: &[&str]) -> Result<String, Trouble> {
        let mut there = Vec::new();
        self.rows(&format!("PRAGMA table_info({})", quoted(table)), |row| {
            there.extend(text(row, 1).map(str::to_ascii_lowercase));
        })?;
        let part = |name: &&str| if there.iter().any(|t| t == name) { quoted(name) } else { "NULL".into() };
        let parts: Vec<String> = columns.iter().map(part).collect();
        Ok(format!("SELECT {} FROM {} NOT INDEXED", parts.join(", "), quoted(table)))
    }

    /// Shows each row of a query; how many there were.
    pub fn rows(&self, query: &str, mut each: impl FnMut(&Row<'_>)) -> Result<u64, Trouble> {
        let mut statement = self.connection.prepare(query)?;
        let columns = statement.column_count();
        let mut rows = statement.query([])?;
        let (mut count, mut bytes) = (0, 0_u64);
        while let Some(row) = rows.next()? {
            for at in 0..columns {
                if let Ok(ValueRef::Text(value) | ValueRef::Blob(value)) = row.get_ref(at) {
                    bytes += value.len() as u64;
                }
            }
            if bytes > self.value_bytes {
                return Err(Trouble::Refused("more values than a database of its size can hold"));
            }
            each(row);
            count += 1;
        }
        Ok(count)
    }
}

/// Takes everything from a connection that reading tables does not need.
fn guard(connection: &mut Connection, bytes: u64) -> Result<(), Trouble> {
    use DbConfig as C;
    use Limit as L;
    for (setting, on) in [
        (C::SQLITE_DBCONFIG_DEFENSIVE, true),
        (C::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false),
        (C::SQLITE_DBCONFIG_WRITABLE_SCHEMA, false),
        (C::SQLITE_DBCONFIG_ENABLE_VIEW, false),
        (C::SQLITE_DBCONFIG_ENABLE_TRIGGER, false),
        (C::SQLITE_DBCONFIG_ENABLE_FTS3_TOKENIZER, false),
        (C::SQLITE_DBCONFIG_ENABLE_ATTACH_CREATE, false),
        (C::SQLITE_DBCONFIG_ENABLE_ATTACH_WRITE, false),
    ] {
        connection.set_db_config(setting, on)?;
    }
    for (limit, value) in [
        (L::SQLITE_LIMIT_LENGTH, ROW_LIMIT),
        (L::SQLITE_LIMIT_SQL_LENGTH, 1 << 20),
        (L::SQLITE_LIMIT_EXPR_DEPTH, 100),
        (L::SQLITE_LIMIT_COMPOUND_SELECT, 16),
        (L::SQLITE_LIMIT_ATTACHED, 0),
        (L::SQLITE_LIMIT_TRIGGER_DEPTH, 1),
        (L::SQLITE_LIMIT_WORKER_THREADS, 0),
    ] {
        connection.set_limit(limit, value)?;
    }
    // a row takes some ten instructions and at least twenty bytes
    let mut looks = (BUDGET + bytes / 2) / LOOK_EVERY as u64;
    let spent = move || {
        looks = looks.saturating_sub(1);
        looks == 0
    };
    connection.progress_handler(LOOK_EVERY, Some(spent))?;
    Ok(())
}

/// A name as SQL writes it.
fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// The text at `at`; also one that is stored as a blob. `None` for what is no UTF-8.
pub fn text<'a>(row: &'a Row<'_>, at: usize) -> Option<&'a str> {
    std::str::from_utf8(bytes(row, at)?).ok()
}

/// The bytes of a text or blob at `at`.
pub fn bytes<'a>(row: &'a Row<'_>, at: usize) -> Option<&'a [u8]> {
    match row.get_ref(at) {
        Ok(ValueRef::Text(bytes) | ValueRef::Blob(bytes)) => Some(bytes),
        _ => None,
    }
}

/// The number at `at`.
pub fn real(row: &Row<'_>, at: usize) -> Option<f64> {
    match row.get_ref(at) {
        Ok(ValueRef::Real(value)) => Some(value),
        Ok(ValueRef::Integer(value)) => Some(value as f64),
        _ => None,
    }
}

/// The integer at `at`.
pub fn integer(row: &Row<'_>, at: usize) -> Option<i64> {
    match row.get_ref(at) {
        Ok(ValueRef::Integer(value)) => Some(value),
        Ok(ValueRef::Real(value)) => super::numbers::integer(value),
        _ => None,
    }
}
