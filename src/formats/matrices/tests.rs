//! Matrices as people write them.

use super::*;

fn decode(name: &str, text: &str) -> Record {
    let mut out = Decoded::new();
    let taken = Matrices.decoder(&Opening::at(Path::new(name))).decode(text.as_bytes(), &mut out).unwrap();
    assert_eq!(taken.bytes, text.len());
    out.take().parts[0].records[0].clone()
}

fn counts(name: &str, text: &str) -> Vec<Vec<f64>> {
    let Record::Confusion(found) = decode(name, text) else { panic!("{:?}", decode(name, text)) };
    found.matrix.counts().outer_iter().map(|row| row.to_vec()).collect()
}

fn reason(name: &str, text: &str) -> String {
    let Record::Artefact(found) = decode(name, text) else { panic!("{:?}", decode(name, text)) };
    format!("{:?}", found.fields[0].1)
}

const ROWS_TRUE: [[f64; 2]; 2] = [[5.0, 1.0], [2.0, 4.0]];

#[test]
fn words_say_which_axis_is_true_and_silence_means_the_rows() {
    for text in [
        ",cat,dog\ncat,5,1\ndog,2,4\n",
        "actual\\predicted,cat,dog\ncat,5,1\ndog,2,4\n",
        "true,cat,dog\ncat,5,1\ndog,2,4\n",
        "predicted,cat,dog\ncat,5,2\ndog,1,4\n",
        "Predicted/Actual;cat;dog\ncat;5;2\ndog;1;4\n",
        ",pred_cat,pred_dog\ntrue_cat,5,1\ntrue_dog,2,4\n",
        ",true_cat,true_dog\npred_cat,5,2\npred_dog,1,4\n",
        ",dog,cat\ncat,1,5\ndog,4,2\n",
        ",cat,dog,All\ncat,5,1,6\ndog,2,4,6\nAll,7,5,12\n",
        "cat,dog\n5,1\n2,4\n",
        "5,1\n2,4\n",
        "cat\tdog\ncat\t5\t1\ndog\t2\t4\n",
        "actual,predicted,count\ncat,cat,5\ncat,dog,1\ndog,cat,2\ndog,dog,4\n",
        "predicted,actual,n\ncat,cat,5\ndog,cat,1\ncat,dog,2\ndog,dog,4\n",
    ] {
        assert_eq!(counts("confusion.csv", text), ROWS_TRUE, "{text}");
    }
    for text in [
        r#"{"labels": ["cat", "dog"], "matrix": [[5, 1], [2, 4]]}"#,
        r#"{"rows": "pred", "labels": ["cat", "dog"], "matrix": [[5, 2], [1, 4]]}"#,
        r#"{"rowLabel": "Actual Category", "columnLabel": "Predicted Category", "matrix": [[5, 1], [2, 4]]}"#,
        "[[5, 1], [2, 4]]",
    ] {
        assert_eq!(counts("confusion.json", text), ROWS_TRUE, "{text}");
    }
}

#[test]
fn what_can_mean_either_is_kept_with_a_reason_and_never_guessed() {
    assert!(reason("confusion.csv", ",pred_a,pred_b\npred_a,1,2\npred_b,3,4\n").contains("contradict"));
    assert!(reason("confusion.csv", ",a,b\na,1,2\nc,3,4\n").contains("different names"));
    assert!(reason("confusion.csv", ",a,b\na,1,2\n").contains("not square"));
    assert!(reason("confusion.csv", ",a,b\na,1,-2\nb,3,4\n").contains("negative"));
    assert!(
        reason("confusion.json", r#"{"a": {"a": 1, "b": 2}, "b": {"a": 0, "b": 3}}"#)
            .contains("which are true")
    );
    assert!(reason("confusion.json", r#"{"accuracy": 0.5}"#).contains("no confusion matrix"));
}

#[test]
fn samples_are_counted_and_classes_are_in_the_order_of_their_numbers() {
    let text = r#"[{"actual": "10", "predicted": "2"}, {"actual": "10", "predicted": "2"},
        {"actual": 9, "predicted": 9}]"#;
    let Record::Confusion(found) = decode("confusion_matrix.json", text) else { panic!() };
    let names: Vec<_> = found.names.as_deref().unwrap().iter().map(|n| &**n).collect();
    assert_eq!(names, ["2", "9", "10"]);
    assert_eq!(found.matrix.counts()[[2, 0]], 2.0);
    assert_eq!(found.matrix.counts()[[1, 1]], 1.0);
}

#[test]
fn split_and_step_are_taken_from_the_name() {
    let Record::Confusion(found) = decode("val_confusion_epoch-12.csv", "1,2\n3,4\n") else { panic!() };
    assert_eq!((&*found.split, found.step, found.epoch), ("val", 12, Some(12.0)));
    let Record::Confusion(found) = decode("confusion.json", r#"{"step": 7, "matrix": [[1]]}"#) else {
        panic!()
    };
    assert_eq!((&*found.split, found.step, found.epoch), ("", 7, None));
}

#[test]
fn logs_and_tables_of_other_writers_are_left_alone() {
    let claim = |name: &str, head: &str| {
        Matrices.recognises(&Candidate { path: Path::new(name), name, head: head.as_bytes(), whole: true })
    };
    assert_eq!(claim("Confusion_Matrix.CSV", ",a,b\n"), Claim::Yes);
    assert!(matches!(claim("confusion_log.csv", "step,confusion_rate\n1,0.5\n"), Claim::No(_)));
    assert_eq!(claim("confusion_1.table.json", "{}"), Claim::No(""));
    assert_eq!(claim("matrix.csv", ",a,b\n"), Claim::No(""));
}
