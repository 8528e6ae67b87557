//! Paths that logs name: never to be trusted.

use std::sync::Arc;

use crate::model::PayloadError;

/// A path that stays below the folder of the log: relative, forward slashes, no `..`.
pub fn path_below(path: &str) -> Result<Arc<str>, PayloadError> {
    let inside = !path.is_empty()
        && !path.starts_with(['/', '\\', '~'])
        && !path.contains(['\\', '\0', ':'])
        && path.split('/').all(|part| part != "..");
    if inside { Ok(Arc::from(path)) } else { Err(PayloadError::OutsideRun) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_that_leaves_its_folder_is_none() {
        assert_eq!(path_below("a/b.tsv").as_deref(), Ok("a/b.tsv"));
        for path in ["../../etc/passwd", "/etc/passwd", "a/../../b", "C:\\x", "\\\\host\\x", "~/x", ""] {
            assert_eq!(path_below(path), Err(PayloadError::OutsideRun), "{path}");
        }
    }
}
