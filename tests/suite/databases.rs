//! Databases that somebody is writing: the state that is read is the one that SQLite itself would read, in every
//! state that its log or journal can be in; and nothing in a database can make the reader run away.

use std::{fs, path::Path};

use epochscope::formats::wire::sqlite::{Database, Trouble};
use rusqlite::Connection;
use tempfile::TempDir;

/// The three files of a database as they are on disk now.
struct Copy {
    file: Vec<u8>,
    log: Vec<u8>,
    journal: Vec<u8>,
}

impl Copy {
    fn of(path: &Path) -> Self {
        let beside = |ending: &str| {
            let mut name = path.as_os_str().to_owned();
            name.push(ending);
            fs::read(name).unwrap_or_default()
        };
        Self { file: beside(""), log: beside("-wal"), journal: beside("-journal") }
    }

    fn open(&self) -> Result<Database, Trouble> {
        Database::open(&self.file, &self.log, &self.journal)
    }

    /// Number and text of all rows of table `t`.
    fn rows(&self) -> Vec<(i64, Vec<u8>)> {
        self.try_rows().unwrap()
    }

    fn try_rows(&self) -> Result<Vec<(i64, Vec<u8>)>, Trouble> {
        let mut rows = Vec::new();
        let query = "SELECT id, CAST(text AS BLOB) FROM t";
        self.open()?.rows(query, |row| rows.push((row.get_unwrap(0), row.get_unwrap(1))))?;
        Ok(rows)
    }
}

/// What SQLite reads from copies of the same files.
fn by_sqlite(copy: &Copy) -> Vec<(i64, Vec<u8>)> {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("copy.db");
    fs::write(&path, &copy.file).unwrap();
    for (ending, bytes) in [("copy.db-wal", &copy.log), ("copy.db-journal", &copy.journal)] {
        if !bytes.is_empty() {
            fs::write(folder.path().join(ending), bytes).unwrap();
        }
    }
    let connection = Connection::open(&path).unwrap();
    let mut statement = connection.prepare("SELECT id, CAST(text AS BLOB) FROM t").unwrap();
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
    rows.map(Result::unwrap).collect()
}

fn writer(folder: &TempDir, page_size: u32, mode: &str) -> (Connection, std::path::PathBuf) {
    let path = folder.path().join("x.db");
    let connection = Connection::open(&path).unwrap();
    connection
        .execute_batch(&format!(
            "PRAGMA page_size={page_size}; PRAGMA journal_mode={mode}; PRAGMA wal_autocheckpoint=0;
             PRAGMA cache_size=5; CREATE TABLE t (id INTEGER PRIMARY KEY, text BLOB);"
        ))
        .unwrap();
    (connection, path)
}

fn insert(connection: &Connection, rows: std::ops::Range<i64>) {
    for id in rows {
        let bytes = vec![id as u8; 1 + (id * 37 % 900) as usize];
        connection.execute("INSERT INTO t VALUES (?, ?)", (id, bytes)).unwrap();
    }
}

#[test]
fn every_state_of_a_write_ahead_log_reads_as_sqlite_reads_it() {
    for page_size in [512, 1024, 4096, 65536] {
        let folder = TempDir::new().unwrap();
        let (writer, path) = writer(&folder, page_size, "wal");
        let checkpoint =
            |kind: &str| writer.execute_batch(&format!("PRAGMA wal_checkpoint({kind})")).unwrap();
        let check = |what: &str, rows: usize| {
            let copy = Copy::of(&path);
            let read = copy.rows();
            assert_eq!(read, by_sqlite(&copy), "{what}, pages of {page_size}");
            assert_eq!(read.len(), rows, "{what}, pages of {page_size}");
        };
        insert(&writer, 0..60);
        check("nothing checkpointed", 60);
        // a reader keeps the checkpoint from going further, so that it is a partial one
        let reader = Connection::open(&path).unwrap();
        reader.execute_batch("BEGIN; SELECT count(*) FROM t;").unwrap();
        insert(&writer, 60..100);
        checkpoint("PASSIVE");
        check("partly checkpointed", 100);
        reader.execute_batch("END").unwrap();
        insert(&writer, 100..110);
        checkpoint("FULL");
        check("all checkpointed, the log still there", 110);
        insert(&writer, 110..112);
        check("the log begun anew, old frames behind the new ones", 112);
        writer
            .execute_batch("DELETE FROM t WHERE id % 3 = 0; UPDATE t SET text = 'x' WHERE id > 90;")
            .unwrap();
        check("rows changed and deleted", 74);
        writer.execute_batch("BEGIN").unwrap();
        insert(&writer, 200..500);
        check("a transaction under way that has spilled its pages", 74);
        writer.execute_batch("ROLLBACK").unwrap();
        insert(&writer, 500..501);
        check("after one that was rolled back", 75);
        writer.execute_batch("VACUUM").unwrap();
        check("made smaller within the log", 75);
        checkpoint("TRUNCATE");
        check("an empty log", 75);
    }
}

#[test]
fn a_log_cut_anywhere_reads_up_to_its_last_whole_transaction() {
    let folder = TempDir::new().unwrap();
    let (writer, path) = writer(&folder, 512, "wal");
    writer.execute_batch("PRAGMA wal_checkpoint(TRUNCATE)").unwrap();
    insert(&writer, 0..8);
    let whole = Copy::of(&path);
    let mut seen = std::collections::BTreeSet::new();
    for cut in (0..=whole.log.len()).step_by(61).chain([whole.log.len()]) {
        let copy = Copy { log: whole.log[..cut].to_vec(), file: whole.file.clone(), journal: Vec::new() };
        let rows = copy.rows();
        assert_eq!(rows, by_sqlite(&copy), "cut at {cut}");
        seen.insert(rows.len());
    }
    assert_eq!(seen, (0..=8).collect(), "each transaction appears with its last byte");
}

#[test]
fn a_damaged_frame_ends_the_log_as_it_does_for_sqlite() {
    let folder = TempDir::new().unwrap();
    let (writer, path) = writer(&folder, 512, "wal");
    writer.execute_batch("PRAGMA wal_checkpoint(TRUNCATE)").unwrap();
    insert(&writer, 0..6);
    let whole = Copy::of(&path);
    for at in (0..whole.log.len()).step_by(43) {
        let mut log = whole.log.clone();
        log[at] ^= 0x10;
        let copy = Copy { log, file: whole.file.clone(), journal: Vec::new() };
        assert_eq!(copy.rows(), by_sqlite(&copy), "flipped at {at}");
    }
}

#[test]
fn a_log_of_another_database_is_ignored() {
    let (one, two) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let (first, path) = writer(&one, 512, "delete");
    insert(&first, 0..10);
    let (second, other) = writer(&two, 4096, "wal");
    insert(&second, 0..10);
    second.execute_batch("PRAGMA wal_checkpoint(FULL); UPDATE t SET text = 'stray' WHERE id = 1").unwrap();
    let copy = Copy { log: Copy::of(&other).log, ..Copy::of(&path) };
    assert_eq!(copy.rows().len(), 10);
    assert_ne!(copy.rows()[1].1, b"stray");
}

#[test]
fn a_copy_in_the_middle_of_a_change_reads_as_before_the_change() {
    for mode in ["delete", "truncate", "persist"] {
        let folder = TempDir::new().unwrap();
        let (writer, path) = writer(&folder, 512, mode);
        insert(&writer, 0..50);
        assert_eq!(Copy::of(&path).rows().len(), 50, "{mode}: at rest");
        // a cache of five pages makes the writer change the file before it commits
        writer
            .execute_batch("BEGIN; UPDATE t SET text = zeroblob(300); DELETE FROM t WHERE id < 20;")
            .unwrap();
        insert(&writer, 1000..1100);
        let torn = Copy::of(&path);
        let rows = torn.rows();
        assert_eq!(rows, by_sqlite(&torn), "{mode}");
        assert_eq!(rows.len(), 50, "{mode}: as before");
        let alone = Copy { journal: Vec::new(), ..torn }.try_rows();
        assert_ne!(alone, Ok(rows), "{mode}: the file alone is another state, or none");
        writer.execute_batch("COMMIT").unwrap();
        assert_eq!(Copy::of(&path).rows().len(), 130, "{mode}: committed");
    }
}

#[test]
fn a_database_cut_short_is_not_whole_yet() {
    let folder = TempDir::new().unwrap();
    let (writer, path) = writer(&folder, 1024, "delete");
    insert(&writer, 0..40);
    let whole = Copy::of(&path).file;
    for cut in (0..whole.len()).step_by(97) {
        assert!(matches!(Database::open(&whole[..cut], &[], &[]), Err(Trouble::NotYet)), "cut at {cut}");
    }
}
