//! What the list of files says.

use crate::ui::Explanation;

pub(super) static EXPLANATIONS: &[Explanation] = &[
    Explanation {
        name: "state",
        meaning: "What is done with the file: following, ended (nothing more is expected), dead (cannot be read, with the reason).",
        formula: "ended: the format says that it is complete, or a newer file has taken over",
        source: "the reader of its format",
        pitfalls: "A file that is deleted and written anew is followed again.",
    },
    Explanation {
        name: "read",
        meaning: "How many of its bytes were decoded.",
        formula: "bytes of whole records; an unfinished record at the end is not counted",
        source: "the file system",
        pitfalls: "Of a compressed archive these are the bytes of the archive.",
    },
    Explanation {
        name: "skips",
        meaning: "Stretches that could not be used.",
        formula: "damaged or unreadable records, each with its byte offset, length and reason",
        source: "the reader of its format",
        pitfalls: "A record that was cut by a crash and never finished is one skip.",
    },
    Explanation {
        name: "records",
        meaning: "What was understood: frames, lines or rows of the format.",
        formula: "counted once however often the file is looked at again",
        source: "the reader of its format",
        pitfalls: "One record may hold many values.",
    },
];
