//! Whole files through the decoder.

mod damage;

use super::{TfEvents, build::*};
use crate::{
    formats::{Candidate, Claim, Decoded, Decoder, FRAME_LIMIT, Fatal, Format, Opening, Taken, wire::crc32c},
    model::{ArtefactKind, EndStatus, LayerKind, Record},
};

/// A decoder before the first byte.
fn opened() -> Box<dyn Decoder> {
    TfEvents.decoder(&Opening::at(std::path::Path::new("events.out.tfevents.1.host")))
}

/// Decodes `bytes` as a reader does that sees `step` more bytes each time and none after the last.
fn decode_in_pieces(bytes: &[u8], step: usize) -> Taken {
    let (mut decoder, mut out) = (opened(), Decoded::new());
    let (mut from, mut to) = (0, 0);
    while to < bytes.len() {
        to = (to + step).min(bytes.len());
        loop {
            let consumed = decoder.decode(&bytes[from..to], &mut out).unwrap();
            from += consumed.bytes + consumed.then_skip as usize;
            if consumed.bytes == 0 {
                break;
            }
        }
    }
    decoder.decode_rest(&bytes[from..], &mut out);
    out.take()
}

fn decode(bytes: &[u8]) -> Taken {
    decode_in_pieces(bytes, bytes.len().max(1))
}

/// `tag step value` of every point, column by column.
fn points(taken: &Taken) -> Vec<String> {
    let columns = taken.parts.iter().flat_map(|p| &p.columns);
    columns.flat_map(|c| c.points.iter().map(|p| format!("{} {} {}", c.key.tag, p.step, p.value))).collect()
}

fn records(taken: Taken) -> Vec<Record> {
    taken.parts.into_iter().flat_map(|p| p.records).collect()
}

fn file(payloads: &[Vec<u8>]) -> Vec<u8> {
    payloads.iter().flat_map(|p| frame(p)).collect()
}

/// A file with some of everything.
fn varied() -> Vec<u8> {
    let mut payloads = vec![event_with(1.0, 0, &bytes_field(3, b"brain.Event:2"))];
    for step in 0..40 {
        payloads.push(scalar(step as f64, step, "train/loss", 1.0 / (step + 1) as f32));
        payloads.push(scalar(step as f64, step, "lr", 0.1));
        if step % 10 == 0 {
            payloads.push(event(step as f64, step, &[simple("a", 1.0), simple("b", f32::NAN)]));
            payloads.push(event(step as f64, step, &[legacy_histogram("weights/fc")]));
            payloads.push(event(step as f64, step, &[value("img", &[bytes_field(4, b"png")])]));
        }
    }
    file(&payloads)
}

fn legacy_histogram(tag: &str) -> Vec<u8> {
    let proto = [
        double_field(1, -1.0),
        double_field(2, 3.0),
        double_field(3, 6.0),
        double_field(4, 6.0),
        double_field(5, 20.0),
        bytes_field(6, &doubles(&[-1.5, 0.0, 2.0, f64::MAX])),
        bytes_field(7, &doubles(&[0.0, 1.0, 3.0, 2.0])),
    ];
    value(tag, &[bytes_field(5, &proto.concat())])
}

#[test]
fn feeding_byte_by_byte_or_in_any_piece_gives_the_same() {
    let bytes = varied();
    let whole = decode(&bytes);
    assert_eq!((whole.records, whole.skips.len()), (1 + 80 + 12, 0));
    for step in [1, 7, 64, 1000] {
        let pieces = decode_in_pieces(&bytes, step);
        // By text, since NaN differs from itself.
        assert_eq!(format!("{:?}", pieces.parts), format!("{:?}", whole.parts), "{step}");
        assert_eq!((pieces.records, pieces.skips.len()), (whole.records, 0), "{step}");
    }
}

#[test]
fn columns_stay_right_when_the_sink_is_emptied_between_turns() {
    let (a, b) = (scalar(1.0, 1, "a", 1.0), scalar(1.0, 1, "b", 2.0));
    let (mut decoder, mut out) = (opened(), Decoded::new());
    decoder.decode(&file(&[a.clone(), b.clone()]), &mut out).unwrap();
    assert_eq!(points(&out.take()), ["a 1 1", "b 1 2"]);
    decoder.decode(&file(&[b, a]), &mut out).unwrap();
    assert_eq!(points(&out.take()), ["b 1 2", "a 1 1"]);
    let mut other = Decoded::new();
    decoder.decode(&file(&[scalar(1.0, 2, "a", 3.0)]), &mut other).unwrap();
    assert_eq!(points(&other.take()), ["a 2 3"]);
}

#[test]
fn a_hole_that_is_filled_later_loses_nothing() {
    let bytes = varied();
    let (mut decoder, mut out) = (opened(), Decoded::new());
    let mut hole = bytes.clone();
    hole[bytes.len() / 2..].fill(0);
    let consumed = decoder.decode(&hole, &mut out).unwrap().bytes;
    decoder.decode(&bytes[consumed..], &mut out).unwrap();
    let taken = out.take();
    assert_eq!(format!("{:?}", taken.parts), format!("{:?}", decode(&bytes).parts));
    assert!(taken.skips.is_empty());
}

#[test]
fn a_hole_with_records_behind_it_is_a_listed_skip() {
    let bytes = [frame(&scalar(0.0, 1, "a", 1.0)), vec![0; 5000], frame(&scalar(0.0, 2, "a", 2.0))].concat();
    for step in [50, bytes.len()] {
        let taken = decode_in_pieces(&bytes, step);
        assert_eq!(points(&taken), ["a 1 1", "a 2 2"]);
        assert_eq!(taken.skips.iter().map(|s| s.bytes).sum::<u64>(), 5000);
    }
}

fn header(length: u64) -> Vec<u8> {
    let bytes = length.to_le_bytes();
    [&bytes[..], &crc32c::masked(&bytes).to_le_bytes()].concat()
}

#[test]
fn a_record_beyond_the_limit_is_passed_over_unread_and_offsets_go_on() {
    let length = FRAME_LIMIT + 1;
    let first = frame(&scalar(0.0, 1, "a", 1.0));
    let (mut decoder, mut out) = (opened(), Decoded::new());
    let consumed = decoder.decode(&[first.clone(), header(length)].concat(), &mut out).unwrap();
    assert_eq!((consumed.bytes, consumed.then_skip), (first.len(), length + 16));
    let mut bad = file(&[scalar(0.0, 2, "a", 1.0), scalar(0.0, 3, "a", 1.0)]);
    bad[14] ^= 1;
    decoder.decode(&bad, &mut out).unwrap();
    let skips = out.take().skips;
    assert_eq!(skips[0].offset, first.len() as u64);
    assert_eq!(skips[1].offset, first.len() as u64 + length + 16);
}

#[test]
fn an_absurd_length_ends_the_file_and_says_so_again() {
    let (mut decoder, mut out) = (opened(), Decoded::new());
    let first = frame(&scalar(0.0, 1, "a", 1.0));
    let bytes = [first.clone(), header(1 << 50)].concat();
    assert_eq!(decoder.decode(&bytes, &mut out).unwrap().bytes, first.len());
    assert_eq!(points(&out.take()), ["a 1 1"]);
    let error = Fatal::FrameTooLarge { offset: first.len() as u64, declared: 1 << 50 };
    assert_eq!(decoder.decode(&header(1 << 50), &mut out), Err(error.clone()));
    assert_eq!(decoder.decode(&first, &mut out), Err(error));
}

#[test]
fn a_record_that_is_no_event_is_listed_and_reading_goes_on() {
    let bytes = file(&[b"\x0b\xffrubbish".to_vec(), scalar(0.0, 1, "a", 1.0)]);
    let taken = decode(&bytes);
    assert_eq!((points(&taken).len(), taken.records), (1, 1));
    assert_eq!(&*taken.skips[0].reason, "record is no event");
}

#[test]
fn odd_steps_values_and_tags_are_data() {
    let taken = decode(&file(&[
        scalar(f64::NAN, -5, "a", f32::NAN),
        scalar(0.0, i64::MAX, "a", f32::INFINITY),
        event_with(0.0, 0, b"")[..9].to_vec(),
        event(0.0, 1, &[[bytes_field(7, b"node"), b"\x15\0\0\x80\x3f".to_vec()].concat()]),
        scalar(0.0, 1, "損失\u{1b}[2J", 1.0),
    ]));
    assert_eq!(points(&taken), ["a -5 NaN", "a 9223372036854775807 inf", "node 1 1", "損失\u{1b}[2J 1 1"]);
    assert!(taken.skips.is_empty());
}

#[test]
fn tensor_scalars_need_metadata_only_once_or_not_at_all() {
    let number = |x: f64| tensor(2, &[], &bytes_field(6, &doubles(&[x])));
    let taken = decode(&file(&[
        event(0.0, 1, &[value("a", &[number(1.5), metadata("scalars", b"")])]),
        event(0.0, 2, &[value("a", &[number(2.5)])]),
        event(0.0, 1, &[value("reopened", &[number(3.5)])]),
        event(0.0, 1, &[value("text", &[number(1.0), metadata("text", b"")])]),
        event(0.0, 2, &[value("text", &[number(1.0)])]),
    ]));
    assert_eq!(points(&taken), ["a 1 1.5", "a 2 2.5", "reopened 1 3.5"]);
    assert_eq!(records(taken).len(), 2);
}

#[test]
fn legacy_histograms_keep_exact_statistics_and_finite_ascending_edges() {
    let taken = decode(&file(&[event(2.0, 7, &[legacy_histogram("weights/fc")])]));
    let [Record::Histogram(h)] = &records(taken)[..] else { panic!() };
    assert_eq!((h.layer.as_str(), h.kind, h.step, h.wall.0), ("fc", LayerKind::Weights, 7, 2.0));
    assert_eq!((&h.edges[..], &h.counts[..]), (&[-1.0, 0.0, 2.0, 3.0][..], &[1.0, 3.0, 2.0][..]));
    let stats = h.stats;
    assert_eq!((stats.mean, stats.min, stats.max), (Some(1.0), Some(-1.0), Some(3.0)));
    assert_eq!((stats.numel, stats.norm), (Some(6.0), Some(20_f64.sqrt())));
    assert!((stats.std.unwrap() - (20.0_f64 / 6.0 - 1.0).sqrt()).abs() < 1e-12);
}

#[test]
fn tensor_histograms_cover_constant_and_empty_data() {
    let rows =
        |numbers: &[f64]| tensor(2, &[numbers.len() as u64 / 3, 3], &bytes_field(4, &doubles(numbers)));
    let plugin = || metadata("histograms", b"");
    let taken = decode(&file(&[
        event(0.0, 1, &[value("h", &[rows(&[0.0, 1.0, 2.0, 1.0, 3.0, 2.0]), plugin()])]),
        event(0.0, 1, &[value("constant", &[rows(&[2.0, 2.0, 0.0, 2.0, 2.0, 9.0]), plugin()])]),
        event(0.0, 1, &[value("empty", &[rows(&[0.0; 6]), plugin()])]),
        event(0.0, 1, &[value("none", &[rows(&[]), plugin()])]),
    ]));
    let records = records(taken);
    let histograms: Vec<_> =
        records.iter().map(|r| if let Record::Histogram(h) = r { h } else { panic!("{r:?}") }).collect();
    assert_eq!(&histograms[0].edges[..], [0.0, 1.0, 3.0]);
    assert_eq!(histograms[0].stats.mean, Some(1.25));
    assert_eq!((&histograms[1].edges[..], histograms[1].stats.std), (&[2.0; 3][..], Some(0.0)));
    assert_eq!((&histograms[2].counts[..], histograms[2].stats.mean), (&[0.0; 2][..], None));
    assert_eq!(histograms[3].counts.len(), 0);
    assert_eq!(histograms.len(), 4);
}

#[test]
fn statistics_that_overflow_are_left_out_and_a_nan_sum_says_so() {
    let rows = doubles(&[-1.0, 1e200, 5.0, 1e200, 3e200, 2.0]);
    let nan = [double_field(3, 8.0), double_field(4, f64::NAN), double_field(5, f64::NAN)].concat();
    let buckets = [bytes_field(6, &doubles(&[0.5, 1.0])), bytes_field(7, &doubles(&[0.0, 6.0]))].concat();
    let taken = decode(&file(&[
        event(
            0.0,
            1,
            &[value("h", &[tensor(2, &[2, 3], &bytes_field(4, &rows)), metadata("histograms", b"")])],
        ),
        event(0.0, 1, &[value("n", &[bytes_field(5, &[nan, buckets].concat())])]),
    ]));
    let [Record::Histogram(huge), Record::Histogram(nan)] = &records(taken)[..] else { panic!() };
    assert!(huge.stats.mean.is_some_and(f64::is_finite));
    assert_eq!((huge.stats.std, huge.stats.norm), (None, None));
    assert_eq!((nan.stats.mean, nan.stats.nan), (None, Some(2.0)));
}

#[test]
fn texts_pictures_and_session_marks_become_records() {
    let strings =
        |cells: &[&str]| cells.iter().flat_map(|c| bytes_field(8, c.as_bytes())).collect::<Vec<_>>();
    let text = |shape: &[u64], cells: &[&str]| {
        value("t", &[tensor(7, shape, &strings(cells)), metadata("text", b"")])
    };
    let image = event(
        0.0,
        3,
        &[value("i", &[tensor(7, &[3], &strings(&["1", "1", "png"])), metadata("images", b"")])],
    );
    let bytes = file(&[
        event(0.0, 1, &[text(&[], &["one"])]),
        event(0.0, 2, &[text(&[2, 2], &["a", "b", "c", "d"])]),
        image.clone(),
        event_with(0.0, 9, &bytes_field(7, &varint_field(1, 1))),
        event_with(0.0, 9, &bytes_field(7, &[varint_field(1, 3), bytes_field(2, b"ckpt-9")].concat())),
        event_with(0.0, 9, &bytes_field(4, b"graph")),
    ]);
    let records = records(decode(&bytes));
    let [Record::Text(one), Record::Text(table), Record::Artefact(picture), rest @ ..] = &records[..] else {
        panic!("{records:?}")
    };
    assert_eq!((&*one.text, &*table.text), ("one", "a | b\nc | d"));
    let (from, length) = (picture.offset as usize, picture.bytes as usize);
    assert_eq!(bytes[from..from + length], frame(&image));
    assert_eq!(picture.kind, ArtefactKind::Image);
    let [Record::Purge { step: 9 }, Record::Event { kind, value, .. }, Record::Artefact(graph)] = rest else {
        panic!("{rest:?}")
    };
    assert_eq!((&**kind, &**value, graph.kind), ("checkpoint", "ckpt-9", ArtefactKind::Graph));
}

#[test]
fn hyper_parameters_start_and_end_a_session() {
    let lr = bytes_field(1, &[bytes_field(1, b"lr"), bytes_field(2, &double_field(2, 0.1))].concat());
    let start = bytes_field(3, &lr);
    let end = bytes_field(4, &[varint_field(1, 1), double_field(2, 5.0)].concat());
    let of = |tag: &str, content: &[u8]| event(0.0, 0, &[value(tag, &[metadata("hparams", content)])]);
    let records = records(decode(&file(&[
        of("_hparams_/session_start_info", &start),
        of("_hparams_/session_end_info", &end),
    ])));
    assert!(matches!(&records[0], Record::Hyperparameters(h) if h.len() == 1 && &*h[0].0 == "lr"));
    assert!(matches!(records.last(), Some(Record::End(EndStatus::Finished))));
}

#[test]
fn a_file_is_claimed_by_its_name_unless_its_start_speaks_against_it() {
    let claim = |name: &str, head: &[u8]| {
        TfEvents.recognises(&Candidate { path: name.as_ref(), name, head, whole: true })
    };
    let name = "events.out.tfevents.1.host.2.0";
    assert_eq!(claim(name, b""), Claim::Yes);
    assert_eq!(claim(name, &varied()), Claim::Yes);
    assert_eq!(claim(name, &[0; 100]), Claim::Yes);
    assert!(
        matches!(claim(name, b"just some text that is no record at all"), Claim::No(why) if !why.is_empty())
    );
    let mut damaged = varied();
    damaged[3] = 9;
    assert_eq!(claim(name, &damaged), Claim::Yes);
    assert_eq!(claim("events.out.tfevents.1.profile-empty", b""), Claim::No(""));
    assert_eq!(claim("metrics.csv", &varied()), Claim::No(""));
}

#[test]
fn damage_inside_of_messages_with_right_checksums_never_panics() {
    let payloads = [
        event(1.0, 2, &[legacy_histogram("h")]),
        event(
            1.0,
            2,
            &[value(
                "t",
                &[tensor(2, &[2, 3], &bytes_field(4, &doubles(&[1.0; 6]))), metadata("histograms", b"x")],
            )],
        ),
        event(
            1.0,
            2,
            &[value("p", &[metadata("hparams", &bytes_field(3, &bytes_field(1, &bytes_field(1, b"k"))))])],
        ),
        scalar(1.0, 2, "s", 3.0),
    ];
    for payload in &payloads {
        for at in 0..payload.len() {
            for bad in [0, 1, 0x7f, 0x80, 0xff, payload[at] ^ 4] {
                let mut payload = payload.clone();
                payload[at] = bad;
                let taken = decode(&frame(&payload));
                assert!(taken.records + taken.skips.len() as u64 >= 1, "{at} {bad}");
            }
            decode(&frame(&payload[..at]));
        }
    }
}
