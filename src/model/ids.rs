//! Names of things: runs, tags, series, layers, files.

use std::{fmt, sync::Arc};

macro_rules! name_type {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(Arc<str>);

        impl $name {
            /// Wraps the writer's own spelling, unchanged. Escape it with [`super::sanitise`] before drawing.
            pub fn new(text: impl Into<Arc<str>>) -> Self {
                Self(text.into())
            }

            /// The spelling as it was written.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{:?}", &*self.0)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                Self(text.into())
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }
    };
}

name_type!(
    /// A run: its folder relative to the watched path, `/` between parts, `.` for the path itself.
    ///
    /// When one file holds several runs, the run's own name follows the folder as one more part.
    RunId
);
name_type!(
    /// The writer's name of a metric, such as `train/loss`; never changed by a reader.
    Tag
);
name_type!(
    /// A layer or parameter, such as `layers.3.weight`; the kind of number (weights, gradients) is not in it.
    LayerName
);

/// One file among those that are watched; unique for the life of the process, never reused.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct FileId(pub u32);

/// What one curve is: a tag within a context of its run.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct SeriesKey {
    /// The writer's name.
    pub tag: Tag,
    /// What sets several curves of one tag apart where the writer keeps it outside of the tag: the split of a
    /// native record (`val`), a group (`age=old`), the sub-folder that `SummaryWriter.add_scalars` made.
    /// Empty for most series.
    pub context: Arc<str>,
}

impl SeriesKey {
    /// A series without context.
    pub fn plain(tag: impl Into<Tag>) -> Self {
        Self { tag: tag.into(), context: Arc::from("") }
    }

    /// A series of `tag` within `context`.
    pub fn new(tag: impl Into<Tag>, context: impl Into<Arc<str>>) -> Self {
        Self { tag: tag.into(), context: context.into() }
    }

    /// The name that a person reads: `tag`, or `context/tag` where there is a context.
    pub fn label(&self) -> String {
        if self.context.is_empty() {
            self.tag.as_str().to_owned()
        } else {
            format!("{}/{}", self.context, self.tag)
        }
    }
}

impl fmt::Display for SeriesKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.label())
    }
}
