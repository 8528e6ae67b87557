//! The native log as `docs/NATIVE_LOG.md` specifies it.

use epochscope::formats::by_name;

use crate::builders::{
    feeding::{Feeder, Reading, read_whole},
    samples::native_log,
};

fn read(text: &str) -> Reading {
    read_whole(by_name("scope").expect("registered"), text.as_bytes())
}

fn records(text: &str) -> Vec<String> {
    let reading = read(text);
    assert_eq!(reading.skips, [], "{text}");
    reading.records.get("").cloned().unwrap_or_default()
}

fn refused(text: &str) -> String {
    let reading = read(text);
    assert_eq!(reading.skips.len(), 1, "{text}: {reading:?}");
    assert!(reading.records.is_empty() && reading.columns.is_empty(), "nothing of it is used: {text}");
    reading.skips[0].2.clone()
}

/// The examples of the specification, one text a block.
fn examples() -> Vec<String> {
    let page = include_str!("../../docs/NATIVE_LOG.md");
    page.split("```jsonl\n")
        .skip(1)
        .map(|rest| rest.split("```").next().unwrap_or_default().to_owned())
        .collect()
}

#[test]
fn every_example_of_the_specification_is_read_without_complaint() {
    let blocks = examples();
    assert!(blocks.len() >= 8, "the page has examples");
    for block in &blocks {
        let reading = read(block);
        assert_eq!(reading.skips, [], "{block}");
        assert!(reading.oddities.is_empty(), "{:?} in {block}", reading.oddities);
        assert_eq!(reading.frames, block.lines().count() as u64);
    }
    let all = blocks.concat();
    for record_type in [
        "run",
        "hparams",
        "classes",
        "scalar",
        "layer",
        "hist",
        "confusion",
        "perplexity",
        "resp",
        "units",
        "credit",
        "sim",
        "pr",
        "pred",
        "acts",
        "embed",
        "seq",
        "attn",
        "map",
        "image",
        "topk",
        "tensor",
        "graph",
        "experts",
        "noise",
        "text",
        "alert",
        "event",
    ] {
        assert!(all.contains(&format!("\"t\":\"{record_type}\"")), "an example of {record_type}");
    }
}

#[test]
fn t75_nan_is_nan_in_every_spelling_and_text_is_untouched() {
    let reading = read(concat!(
        r#"{"t":"scalar","step":1,"v":{"a":NaN,"b":"NaN","c":1e999,"d":-Infinity,"e":"Infinity","f":"-Infinity","g":Infinity}}"#,
        "\n",
        r#"{"t":"text","step":1,"name":"n","v":"NaN Infinity"}"#,
        "\n",
        r#"{"t":"layer","step":1,"name":"l","kind":"grad","norm":NaN,"max":"Infinity","nan":3}"#,
        "\n",
    ));
    assert_eq!(reading.skips, []);
    for tag in ["a", "b"] {
        assert!(reading.series(tag)[0].1.is_nan(), "{tag}");
    }
    for (tag, value) in [("c", 1.0), ("d", -1.0), ("e", 1.0), ("f", -1.0), ("g", 1.0)] {
        assert_eq!(reading.series(tag), [(1, value * f64::INFINITY)], "{tag}");
    }
    let records = &reading.records[""];
    assert!(records[0].contains("\"NaN Infinity\""), "{records:?}");
    assert!(records[1].contains("norm: Some(NaN)") && records[1].contains("max: Some(inf)"), "{records:?}");
}

#[test]
fn t76_a_log_cut_at_any_byte_gives_its_whole_lines_and_all_of_them_once_completed() {
    let sample = native_log();
    let format = by_name("scope").unwrap();
    let lines_before = |cut: usize| memchr::memchr_iter(b'\n', &sample.bytes[..cut]).count() as u64;
    assert_eq!(lines_before(sample.bytes.len()), 20);
    for cut in 0..=sample.bytes.len() {
        let mut feeder = Feeder::new(format, &sample.bytes);
        feeder.grow_to(cut);
        assert_eq!(feeder.reading.frames, lines_before(cut), "cut at {cut}");
        feeder.grow_to(sample.bytes.len());
        let complete = feeder.finish();
        assert_eq!((complete.frames, complete.skips.len()), (20, 0), "completed after a cut at {cut}");
    }
}

#[test]
fn t77_unknown_types_and_keys_are_counted_and_harm_nothing() {
    let reading = read(concat!(
        r#"{"epochscope":2,"t":"run","name":"x","mood":"good"}"#,
        "\n",
        r#"{"t":"hologram","step":1,"v":[1,2]}"#,
        "\n",
        r#"{"t":"scalar","step":1,"v":{"loss":1},"colour":"red"}"#,
        "\n",
    ));
    assert_eq!(reading.skips, []);
    assert_eq!(reading.frames, 3);
    let odd: Vec<_> = reading.oddities.iter().map(|(name, n)| (name.as_str(), *n)).collect();
    let version = "written for another version of the format";
    assert_eq!(odd, [("record type hologram", 1), ("run.mood", 1), ("scalar.colour", 1), (version, 1)]);
    assert_eq!(reading.series("loss"), [(1, 1.0)]);
}

#[test]
fn t78_packed_and_nested_matrices_are_the_same_and_files_stay_below_the_run() {
    let with = |m: &str| {
        records(&format!(
            "{{\"t\":\"confusion\",\"step\":1,\"split\":\"val\",\"rows\":\"true\",\"m\":{m}}}\n"
        ))
    };
    let nested = with("[[50,4],[3,44]]");
    assert_eq!(with(r#"{"shape":[2,2],"dtype":"i32","b64":"MgAAAAQAAAADAAAALAAAAA=="}"#), nested);
    assert_eq!(with(r#"{"shape":[2,2],"dtype":"u8","b64":"MgQDLA=="}"#), nested);
    let file = |path: &str| {
        format!(
            "{{\"t\":\"tensor\",\"step\":1,\"name\":\"w\",\"v\":{{\"file\":\"{path}\",\"shape\":[2,2]}}}}\n"
        )
    };
    assert!(records(&file("w/fc1.npy"))[0].contains("w/fc1.npy"));
    assert_eq!(refused(&file("../../etc/passwd")), "v: the file lies outside of the run's folder");
    assert_eq!(refused(&file("/etc/passwd")), "v: the file lies outside of the run's folder");
    let image = r#"{"t":"image","step":1,"file":"../x.png"}"#;
    assert_eq!(refused(image), "file: the file lies outside of the run's folder");
}

#[test]
fn a_matrix_must_say_what_its_rows_are() {
    let line = r#"{"t":"confusion","step":1,"split":"val","m":[[1,2],[3,4]]}"#;
    assert_eq!(refused(line), "a confusion matrix must say `rows`: \"true\" or \"pred\"");
    let rows = |rows: &str, m: &str| {
        records(&format!(
            "{{\"t\":\"confusion\",\"step\":1,\"split\":\"val\",\"rows\":\"{rows}\",\"m\":{m}}}\n"
        ))
    };
    assert_eq!(rows("true", "[[1,2],[3,4]]"), rows("pred", "[[1,3],[2,4]]"));
}

#[test]
fn a_sparse_matrix_takes_its_classes_from_the_log() {
    let sparse = records(concat!(
        r#"{"t":"classes","names":["cat","dog","owl"]}"#,
        "\n",
        r#"{"t":"confusion","step":1,"split":"val","rows":"true","sparse":[["cat","dog",3],["owl","owl",5],[1,1,2]]}"#,
        "\n",
    ));
    let dense = records(concat!(
        r#"{"t":"confusion","step":1,"split":"val","rows":"true","labels":["cat","dog","owl"],"m":[[0,3,0],[0,2,0],[0,0,5]]}"#,
        "\n",
    ));
    assert_eq!(sparse[1], dense[0]);
    let hostile = r#"{"t":"confusion","step":1,"rows":"true","sparse":[[4294967296,0,1]]}"#;
    assert_eq!(refused(hostile), "more than 2048 classes");
}

#[test]
fn split_and_group_are_the_context_of_a_series() {
    let reading = read(concat!(
        r#"{"t":"scalar","step":1,"epoch":0,"split":"train","v":{"loss":1}}"#,
        "\n",
        r#"{"t":"scalar","step":2,"epoch":0,"split":"val","group":{"sex":"f","age":"old"},"v":{"loss":2}}"#,
        "\n",
        r#"{"t":"scalar","step":3,"epoch":1,"split":"test","attack":"pgd20","eps":0.5,"v":{"acc":{"top1":0.5}}}"#,
        "\n",
    ));
    let labels: Vec<_> = reading.columns.keys().map(|(_, label)| label.as_str()).collect();
    assert_eq!(
        labels,
        ["epoch", "test attack=pgd20 eps=0.5/acc/top1", "train/loss", "val age=old sex=f/loss"]
    );
    assert_eq!(reading.series("epoch"), [(1, 0.0), (3, 1.0)], "a point where it changes");
}

#[test]
fn several_runs_in_one_file_stay_apart() {
    let reading = read(concat!(
        r#"{"t":"scalar","step":1,"run":"a","v":{"loss":1}}"#,
        "\n",
        r#"{"t":"scalar","step":1,"run":"b","v":{"loss":2}}"#,
        "\n",
        r#"{"t":"scalar","step":2,"run":"a","v":{"loss":3}}"#,
        "\n",
    ));
    let runs: Vec<_> =
        reading.columns.iter().map(|((run, _), points)| (run.as_str(), points.len())).collect();
    assert_eq!(runs, [("a", 2), ("b", 1)]);
}

#[test]
fn content_that_does_not_fit_together_is_refused_with_its_reason() {
    for (line, reason) in [
        (r#"{"t":"scalar","v":{"loss":1}}"#, "the record needs an integer `step`"),
        (r#"{"t":"scalar","step":1}"#, "a scalar record without an object `v`"),
        (r#"{"step":1}"#, "a record without its type `t`"),
        (r"[1,2]", "the line is no JSON object"),
        (
            r#"{"t":"hist","step":1,"name":"l","edges":[0,1],"counts":[1,2]}"#,
            "buckets need one more edge than counts",
        ),
        (
            r#"{"t":"hist","step":1,"name":"l","edges":[1,0],"counts":[1]}"#,
            "bucket edges must be finite and must not decrease",
        ),
        (
            r#"{"t":"hist","step":1,"name":"l","edges":[0,1],"counts":[-1]}"#,
            "bucket counts must be finite and not negative",
        ),
        (r#"{"t":"pr","step":1,"thresholds":[0],"tp":[1],"fp":[1],"tn":[1]}"#, "pr without `fn`"),
        (r#"{"t":"pred","step":1,"id":["a","b"],"y":[0]}"#, "`id` and `y` differ in length"),
        (
            r#"{"t":"units","step":1,"layer":"l","v":{"shape":[4294967296],"dtype":"f32","b64":"AAAA"}}"#,
            "v: the shape does not fit the number of values",
        ),
        (
            r#"{"t":"units","step":1,"layer":"l","v":{"shape":[1],"dtype":"c64","b64":"AAAA"}}"#,
            "v: the element type is unknown",
        ),
    ] {
        assert_eq!(refused(&format!("{line}\n")), reason, "{line}");
    }
}

#[test]
fn an_unfinished_run_says_how_it_ended() {
    assert_eq!(records("{\"t\":\"event\",\"kind\":\"end\"}\n"), ["End(Finished)"]);
    assert_eq!(records("{\"t\":\"event\",\"kind\":\"end\",\"status\":\"killed\"}"), ["End(Failed)"]);
}
