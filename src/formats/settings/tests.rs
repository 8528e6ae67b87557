//! Settings as frameworks write them.

use super::*;

fn decode(text: &str) -> Vec<Record> {
    let mut out = Decoded::new();
    let taken = Settings.decoder(&Opening::at(Path::new("x"))).decode(text.as_bytes(), &mut out).unwrap();
    assert_eq!(taken.bytes, text.len(), "{text}");
    out.take().parts.into_iter().flat_map(|part| part.records).collect()
}

fn settings(text: &str) -> Vec<String> {
    let records = decode(text).into_iter();
    let spelled = records.filter_map(|record| match record {
        Record::Hyperparameters(all) => Some(all),
        _ => None,
    });
    spelled.flatten().map(|(name, value)| format!("{name}={value}")).collect()
}

fn name(text: &str) -> Option<String> {
    decode(text).into_iter().find_map(|record| match record {
        Record::Info(info) => info.name.map(|name| name.to_string()),
        _ => None,
    })
}

#[test]
fn overrides_name_the_run_and_are_settings() {
    assert_eq!(name("- lr=0.05\n- seed=1\n").as_deref(), Some("lr=0.05 seed=1"));
    assert_eq!(
        settings("- lr=0.05\n- +net.depth=3\n- ~old\n- opt=adam\n"),
        ["lr=0.05", "net.depth=3", "opt=adam"]
    );
    assert_eq!(name("[]\n"), None);
    assert!(settings("[]\n").is_empty());
}

#[test]
fn a_trial_of_ray_is_called_as_ray_calls_it() {
    assert_eq!(
        trial("train_c6d64_00000_0_lr=0.0100_2026-11-25_23-56-05"),
        Some("train_c6d64_00000_0_lr=0.0100")
    );
    for other in ["_2026-11-25_23-56-05", "run", "exp-2026-11-25_23-56-05", "é2026-11-25_23-56-05"] {
        assert_eq!(trial(other), None, "{other}");
    }
}

#[test]
fn nested_settings_are_joined_by_dots() {
    let text = "model:\n  hidden: 32\n  act: relu\n  sizes: [1, 2]\non: no\nfast: true\nlr: .inf\n";
    let wanted = ["model.hidden=32", "model.act=relu", "model.sizes=[1, 2]", "on=no", "fast=true", "lr=inf"];
    assert_eq!(settings(text), wanted);
    // a key that occurs twice: of equal names the later one replaces the earlier wherever settings are kept
    assert_eq!(settings("lr: 1e-3\nlr: 0.5\n").last().map(String::as_str), Some("lr=0.5"));
}

#[test]
fn objects_of_python_are_read_for_what_is_in_them() {
    let text = "!!python/object:argparse.Namespace\nlr: .inf\nbetas: !!python/tuple\n- 0.9\n- 0.999\nact: !!python/name:torch.nn.ReLU ''\nnone: null\n";
    assert_eq!(settings(text), ["lr=inf", "betas=[0.9, 0.999]", "act=", "none=null"]);
    let zoo = "!!python/object/apply:collections.OrderedDict\n- - - gamma\n    - 0.99\n  - - policy\n    - MlpPolicy\n";
    assert_eq!(settings(zoo), ["gamma=0.99", "policy=MlpPolicy"]);
    assert_eq!(settings("a: &x {b: 1}\nc: *x\n---\nd: 2\n"), ["a.b=1", "c.b=1", "d=2"]);
}

#[test]
fn json_is_read_as_json() {
    assert_eq!(settings("{\"lr\": 0.01, \"env\": \"Pong\", \"x\": NaN}"), ["lr=0.01", "env=Pong", "x=NaN"]);
}

#[test]
fn what_would_fill_memory_is_refused() {
    let refused = |text: &str| {
        let mut out = Decoded::new();
        let mut decoder = Settings.decoder(&Opening::at(Path::new("x")));
        assert_eq!(decoder.decode(text.as_bytes(), &mut out).unwrap().bytes, 0);
        assert_eq!(decoder.decode_rest(text.as_bytes(), &mut out), text.len());
        assert_eq!(out.take().skips.len(), 1);
    };
    let mut bomb = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
    for n in 1..9 {
        let list = vec![format!("*a{}", n - 1); 10].join(", ");
        bomb.push_str(&format!("a{n}: &a{n} [{list}]\n"));
    }
    refused(&bomb);
    refused(&"[".repeat(10_000));
    refused(&format!("a: {}\n", "x".repeat(DOCUMENT_LIMIT)));
}

#[test]
fn names_that_everybody_uses_need_more_than_a_name() {
    let claim = |path: &str, head: &str| {
        let path = Path::new(path);
        let name = path.file_name().unwrap().to_str().unwrap();
        Settings.recognises(&Candidate { path, name, head: head.as_bytes(), whole: true })
    };
    assert_eq!(claim("a/.hydra/config.yaml", "lr: 0.1\n"), Claim::Yes);
    assert!(matches!(claim("a/config.yaml", "lr: 0.1\n"), Claim::No(_)));
    assert_eq!(claim("a/config.yaml", "CUDNN_BENCHMARK: false\nDATALOADER:\n  X: 1\n"), Claim::Yes);
    assert_eq!(claim("a/config.json", "{\"architectures\": [\"GPT2\"], \"n_embd\": 32"), Claim::Yes);
    assert!(matches!(claim("a/config.json", "{\"lr\": 0.1}"), Claim::No(_)));
    assert_eq!(claim("a/hparams.yaml", "lr: 0.05\n"), Claim::Yes);
    assert!(matches!(claim("a/hparams.yaml", "\u{0}\u{1}: 0.05\n"), Claim::No(_)));
    assert_eq!(Settings.standing(Path::new("job/.hydra/overrides.yaml")), Standing::side(1));
    assert_eq!(Settings.standing(Path::new("run/args.yaml")), Standing::side(0));
}
