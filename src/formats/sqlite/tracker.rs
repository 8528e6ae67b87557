//! Which program's tables a database has.

/// A program that keeps runs in SQLite.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Tracker {
    /// MLflow's tracking store.
    MlFlow,
    /// Trackio, one database per project.
    Trackio,
}

impl Tracker {
    /// Told from the names of all tables.
    pub fn of(tables: &[String]) -> Option<Self> {
        let all = |names: &[&str]| names.iter().all(|name| tables.iter().any(|t| t == name));
        if all(&["experiments", "runs", "metrics", "params", "tags"]) {
            Some(Self::MlFlow)
        } else if all(&["metrics", "configs"]) || all(&["metrics", "system_metrics"]) {
            Some(Self::Trackio)
        } else {
            None
        }
    }

    /// Whether the tables may be the first ones of a database that is just being made.
    pub fn may_become(tables: &[String]) -> bool {
        tables.is_empty()
            || ["experiments", "metrics", "configs"].iter().any(|n| tables.iter().any(|t| t == n))
    }
}
