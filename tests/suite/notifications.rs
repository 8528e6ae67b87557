//! Alerts that leave the program: `follow`, webhooks, commands, bells; the real program, real servers, real processes.

use std::{
    fs::{self, OpenOptions},
    io::{BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{Arc, Mutex},
    thread,
};

use portable_pty::CommandBuilder;
use rustix::process::{Pid, Signal, kill_process, test_kill_process};
use serde_json::Value;
use tempfile::TempDir;

use crate::pseudo_terminal::{PROGRAM, PseudoTerminal, wait_for_condition};

/// Logs in `logs/`, a home beside them.
struct Place(TempDir);

impl Place {
    fn new(runs: &[&str]) -> Self {
        let place = Self(tempfile::tempdir().unwrap());
        fs::create_dir(place.logs()).unwrap();
        for run in runs {
            place.healthy(run);
        }
        place
    }

    fn logs(&self) -> PathBuf {
        self.0.path().join("logs")
    }

    fn home(&self) -> PathBuf {
        self.0.path().join("home")
    }

    fn log(&self, run: &str) -> PathBuf {
        self.logs().join(run).join("metrics.jsonl")
    }

    /// A run that goes on.
    fn healthy(&self, run: &str) {
        fs::create_dir_all(self.logs().join(run)).unwrap();
        let line = |n: u32| format!("{{\"step\": {n}, \"train/loss\": {}}}\n", 2.0 / f64::from(n + 1));
        fs::write(self.log(run), (0..20).map(line).collect::<String>()).unwrap();
    }

    fn append(&self, run: &str, text: &str) {
        let mut file = OpenOptions::new().append(true).open(self.log(run)).unwrap();
        file.write_all(text.as_bytes()).unwrap();
    }

    /// Something that is critical.
    fn break_down(&self, run: &str) {
        self.append(run, "{\"step\": 30, \"train/loss\": NaN}\n");
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(PROGRAM);
        command.args(arguments).current_dir(self.0.path()).stdin(Stdio::null());
        command.env("HOME", self.home()).env("LANG", "C.UTF-8").env("TZ", "UTC");
        for name in ["XDG_STATE_HOME", "XDG_CACHE_HOME", "XDG_CONFIG_HOME", "EPOCHSCOPE_WEBHOOK", "NO_COLOR"]
        {
            command.env_remove(name);
        }
        for name in ["http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY", "https_proxy", "HTTPS_PROXY"] {
            command.env_remove(name);
        }
        command
    }

    fn follow(&self, arguments: &[&str]) -> Following {
        Following::start(self.command(&[&["follow", "logs"], arguments].concat()))
    }
}

/// A `follow` that runs, with what it says.
struct Following {
    child: Child,
    out: Arc<Mutex<String>>,
    err: Arc<Mutex<String>>,
}

impl Following {
    fn start(mut command: Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let out = collect(child.stdout.take().unwrap());
        let err = collect(child.stderr.take().unwrap());
        Self { child, out, err }
    }

    fn wait_for(&self, text: &str) {
        wait_for_condition(text, || self.out.lock().unwrap().contains(text));
    }

    fn wait_for_error(&self, text: &str) {
        wait_for_condition(text, || self.err.lock().unwrap().contains(text));
    }

    fn errors(&self) -> String {
        self.err.lock().unwrap().clone()
    }

    fn lines(&self) -> Vec<Value> {
        self.out.lock().unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    fn signal(&self, signal: Signal) {
        let pid = Pid::from_raw(i32::try_from(self.child.id()).unwrap()).unwrap();
        kill_process(pid, signal).unwrap();
    }

    fn end(&mut self) -> i32 {
        let mut code = None;
        wait_for_condition("the end", || {
            code = self.child.try_wait().unwrap();
            code.is_some()
        });
        code.unwrap().code().unwrap()
    }

    /// The orderly end.
    fn stop(mut self) -> String {
        self.signal(Signal::TERM);
        assert_eq!(self.end(), 0, "{}", self.errors());
        self.errors()
    }
}

impl Drop for Following {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn collect(stream: impl Read + Send + 'static) -> Arc<Mutex<String>> {
    let text = Arc::new(Mutex::new(String::new()));
    let into = Arc::clone(&text);
    thread::spawn(move || {
        for line in BufReader::new(stream).lines().map_while(Result::ok) {
            into.lock().unwrap().push_str(&(line + "\n"));
        }
    });
    text
}

/// What the server says to a request, by its number.
type Script = fn(usize) -> Option<&'static str>;

const FINE: &str = "200 OK\r\n";

/// An HTTP server that keeps what it is sent.
struct Server {
    address: String,
    /// Path and body of each request.
    requests: Arc<Mutex<Vec<(String, Value)>>>,
}

impl Server {
    /// Answers as `script` says; `None`: never.
    fn start(script: Script) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let requests: Arc<Mutex<Vec<(String, Value)>>> = Arc::default();
        let kept = Arc::clone(&requests);
        thread::spawn(move || {
            let mut open = Vec::new();
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                let request = request(&mut stream);
                let number = {
                    let mut kept = kept.lock().unwrap();
                    kept.push(request);
                    kept.len()
                };
                match script(number - 1) {
                    Some(head) => {
                        let answer = format!("HTTP/1.1 {head}Content-Length: 0\r\nConnection: close\r\n\r\n");
                        stream.write_all(answer.as_bytes()).unwrap();
                    }
                    None => open.push(stream),
                }
            }
        });
        Self { address, requests }
    }

    fn wait_for(&self, count: usize) {
        wait_for_condition("requests", || self.requests.lock().unwrap().len() >= count);
    }

    fn bodies(&self) -> Vec<Value> {
        self.requests.lock().unwrap().iter().map(|(_, body)| body.clone()).collect()
    }
}

fn request(stream: &mut TcpStream) -> (String, Value) {
    let mut reader = BufReader::new(stream);
    let (mut first, mut length) = (String::new(), 0);
    reader.read_line(&mut first).unwrap();
    assert!(first.starts_with("POST /"), "{first}");
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).unwrap();
        if line.trim().is_empty() {
            break;
        }
        if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().unwrap();
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).unwrap();
    let path = first.split(' ').nth(1).unwrap().to_owned();
    (path, serde_json::from_slice(&body).unwrap())
}

#[test]
fn follow_prints_what_opens_as_json_lines_and_posts_it_once() {
    let place = Place::new(&["a", "b"]);
    let server = Server::start(|_| Some(FINE));
    let following = place.follow(&["--format", "json", "--webhook", &format!("{}/x", server.address)]);
    place.break_down("a");
    following.wait_for("\"run\":\"a\"");
    let lines = following.lines();
    let keys: Vec<&str> = lines[0].as_object().unwrap().keys().map(String::as_str).collect();
    let wanted = [
        "version",
        "event",
        "run",
        "rule",
        "severity",
        "state",
        "series",
        "layer",
        "step",
        "since_step",
        "time",
        "message",
        "advice",
        "evidence",
        "caused_by",
    ];
    assert_eq!(keys, wanted);
    assert_eq!((&lines[0]["event"], &lines[0]["rule"]), (&"open".into(), &"nan".into()));
    server.wait_for(1);
    place.break_down("b");
    server.wait_for(2);
    following.stop();
    let bodies = server.bodies();
    assert_eq!(bodies.len(), 2, "{bodies:?}");
    assert_eq!((&bodies[0]["run"], &bodies[0]["step"]), (&"a".into(), &30.into()));
    assert!(bodies[0]["headline"].as_str().unwrap().contains("critical nan in train/loss of a"));
    assert_eq!(bodies[1]["run"], "b");
}

#[test]
fn each_style_reaches_its_service() {
    for (style, path, key) in
        [("slack", "/hook", "text"), ("discord", "/hook", "content"), ("ntfy", "/", "message")]
    {
        let place = Place::new(&["a"]);
        let server = Server::start(|_| Some("204 No Content\r\n"));
        let url = format!("{}/hook", server.address);
        let following = place.follow(&["--webhook", &url, "--webhook-style", style]);
        place.break_down("a");
        server.wait_for(1);
        following.stop();
        let requests = server.requests.lock().unwrap().clone();
        assert_eq!(requests.len(), 1);
        assert!(requests[0].0 == path || (path == "/" && requests[0].0.is_empty()), "{requests:?}");
        assert!(requests[0].1[key].as_str().unwrap().contains("NaN"), "{requests:?}");
    }
}

#[test]
fn a_server_that_is_busy_is_asked_again_and_gets_each_alert_once() {
    let scripts: [Script; 2] = [
        |n| Some(if n == 0 { "500 Oops\r\n" } else { FINE }),
        |n| Some(if n == 0 { "429 Slow down\r\nRetry-After: 1\r\n" } else { FINE }),
    ];
    for script in scripts {
        let place = Place::new(&["a", "b"]);
        let server = Server::start(script);
        let following = place.follow(&["--webhook", &server.address]);
        place.break_down("a");
        server.wait_for(2);
        place.break_down("b");
        server.wait_for(3);
        let errors = following.stop();
        let runs: Vec<Value> = server.bodies().iter().map(|body| body["run"].clone()).collect();
        assert_eq!(runs, ["a", "a", "b"]);
        assert_eq!(errors, "");
    }
}

#[test]
fn a_server_that_never_answers_stops_nobody_and_is_told_nothing_twice() {
    let place = Place::new(&["a", "b", "c"]);
    let server = Server::start(|_| None);
    let following = place.follow(&["--webhook", &server.address, "--webhook-timeout", "500ms"]);
    place.break_down("a");
    following.wait_for(" of a ");
    server.wait_for(1);
    place.break_down("b");
    following.wait_for(" of b ");
    following.wait_for_error("may not have arrived at 127.0.0.1: it took the message and did not answer");
    server.wait_for(2);
    let errors = following.stop();
    let runs: Vec<Value> = server.bodies().iter().map(|body| body["run"].clone()).collect();
    assert_eq!(runs, ["a", "b"], "{errors}");
    assert!(!errors.contains("http://"), "an address may be a secret");
}

#[test]
fn the_screen_goes_on_beside_a_server_that_never_answers_and_rings() {
    let place = Place::new(&["a", "b"]);
    let server = Server::start(|_| None);
    let mut command = CommandBuilder::new("env");
    command.args(["TMUX=/tmp/x", PROGRAM, "logs", "--bell", "--desktop", "--webhook", &server.address]);
    command.env("HOME", place.home());
    command.env("NO_PROXY", "*");
    let mut terminal = PseudoTerminal::spawn(command, place.0.path(), 100, 24);
    terminal.wait_for("Runs");
    for run in ["a", "b"] {
        place.break_down(run);
        terminal.wait_until("the alert", |screen| {
            screen.contents().matches("nan").count() > usize::from(run == "b")
        });
    }
    server.wait_for(1);
    let sequence = b"\x1bPtmux;\x1b\x1b]9;epochscope: critical nan in train/loss of a at step 30\x07\x1b\\";
    wait_for_condition("the notification", || {
        terminal.bytes().windows(sequence.len()).any(|bytes| bytes == sequence)
    });
    terminal.keys("q");
    assert_eq!(terminal.wait_end(), 0);
    terminal.assert_clean();
}

#[test]
fn a_command_that_never_ends_is_killed_with_its_children_and_reading_goes_on() {
    let place = Place::new(&["a", "b"]);
    let pids = place.0.path().join("pids");
    let script = format!("sh -c 'cat > {0}.json; sleep 1000 & echo $$ $! >> {0}; wait'", pids.display());
    let following = place.follow(&["--on-alert", &script, "--on-alert-timeout", "1s"]);
    place.break_down("a");
    following.wait_for_error("on-alert: the command was killed after 1 s");
    let written = fs::read_to_string(&pids).unwrap();
    for pid in written.split_whitespace() {
        let pid = Pid::from_raw(pid.parse().unwrap()).unwrap();
        wait_for_condition("the processes to be gone", || {
            let stat = fs::read_to_string(format!("/proc/{}/stat", pid.as_raw_nonzero())).unwrap_or_default();
            test_kill_process(pid).is_err() || stat.contains(") Z ")
        });
    }
    let json = fs::read_to_string(pids.with_extension("json")).unwrap();
    assert_eq!(serde_json::from_str::<Value>(&json).unwrap()["rule"], "nan");
    place.break_down("b");
    following.wait_for(" of b ");
    wait_for_condition("the second command", || fs::read_to_string(&pids).unwrap().lines().count() == 2);
    following.stop();
}

#[test]
fn a_command_gets_the_alert_in_variables_and_no_shell_reads_it() {
    let place = Place::new(&["$(touch owned);`touch owned`"]);
    let following = place.follow(&["--on-alert", "env"]);
    place.break_down("$(touch owned);`touch owned`");
    following.wait_for_error("EPOCHSCOPE_RUN=$(touch owned);`touch owned`");
    following.wait_for_error("EPOCHSCOPE_RULE=nan");
    following.wait_for_error("EPOCHSCOPE_SEVERITY=critical");
    following.wait_for_error("EPOCHSCOPE_STEP=30");
    following.stop();
    assert!(!place.0.path().join("owned").exists());
    let wrong = place.command(&["follow", "logs", "--on-alert", "no-such-program x"]).output().unwrap();
    let error = String::from_utf8(wrong.stderr).unwrap();
    assert_eq!((wrong.status.code(), error.lines().count()), (Some(2), 3), "{error}");
    assert!(error.contains("no-such-program"), "{error}");
}

#[test]
fn a_second_start_tells_nothing_again() {
    let place = Place::new(&["a", "b"]);
    place.break_down("a");
    let server = Server::start(|_| Some(FINE));
    for _ in 0..2 {
        let following = place.follow(&["--webhook", &server.address]);
        following.wait_for(" of a ");
        following.stop();
    }
    place.break_down("b");
    let following = place.follow(&["--webhook", &server.address]);
    following.wait_for(" of b ");
    following.stop();
    let runs: Vec<Value> = server.bodies().iter().map(|body| body["run"].clone()).collect();
    assert_eq!(runs, ["a", "b"], "once each");
    let names = |folder: &Path| fs::read_dir(folder).unwrap().count();
    assert_eq!((names(&place.logs()), names(&place.logs().join("a"))), (2, 1), "nothing among the logs");
}

#[test]
fn where_nothing_can_be_kept_alerts_are_told_all_the_same_and_it_is_said_once() {
    let place = Place::new(&["a", "b"]);
    let file = place.0.path().join("file");
    fs::write(&file, "").unwrap();
    let server = Server::start(|_| Some(FINE));
    let mut command = place.command(&["follow", "logs", "--webhook", &server.address]);
    let following = {
        command.env("XDG_STATE_HOME", file.join("state"));
        Following::start(command)
    };
    place.break_down("a");
    server.wait_for(1);
    place.break_down("b");
    server.wait_for(2);
    let errors = following.stop();
    assert_eq!(errors.matches("will be told again").count(), 1, "{errors}");
    assert_eq!(server.bodies().len(), 2);
}

#[test]
fn hundreds_at_once_are_a_few_messages_and_a_sum_and_none_is_missing() {
    let names: Vec<String> = (0..300).map(|n| format!("run{n}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let place = Place::new(&names);
    let server = Server::start(|_| Some(FINE));
    let following = place.follow(&["--format", "json", "--webhook", &server.address]);
    // The first shows that the past has been read.
    place.break_down("run0");
    server.wait_for(1);
    for name in &names[1..] {
        place.break_down(name);
    }
    wait_for_condition("all lines", || following.out.lock().unwrap().lines().count() >= 300);
    following.stop();
    let bodies = server.bodies();
    assert!(bodies.len() <= 11, "{}", bodies.len());
    let alerts: u64 = bodies.iter().map(|body| body["count"].as_u64().unwrap()).sum();
    assert_eq!(alerts, 300);
    assert_eq!(bodies.last().unwrap()["event"], "summary");
}

#[test]
fn in_quiet_hours_a_critical_alert_goes_through() {
    let place = Place::new(&["a"]);
    let server = Server::start(|_| Some(FINE));
    let following = place.follow(&["--webhook", &server.address, "--quiet-hours", "00:00-24:00"]);
    place.break_down("a");
    server.wait_for(1);
    following.stop();
}

#[test]
fn until_done_ends_when_every_run_has_ended_and_tells_what_happened_meanwhile() {
    let place = Place::new(&[]);
    let server = Server::start(|_| Some(FINE));
    let mut following = place.follow(&["--until-done", "--webhook", &server.address]);
    // A run that begins, breaks down and ends while nobody looks.
    place.healthy("a");
    place.append("a", "{\"step\": 30, \"train/loss\": NaN}\n{\"step\": 31, \"train_runtime\": 12.5}\n");
    assert_eq!(following.end(), 0);
    assert!(following.out.lock().unwrap().contains(" open critical nan in train/loss of a at step 30: "));
    assert_eq!(server.bodies().len(), 1);
    let hour_ago = fs::metadata(place.log("a")).unwrap().modified().unwrap();
    let hour_ago = hour_ago - std::time::Duration::from_hours(1);
    OpenOptions::new().append(true).open(place.log("a")).unwrap().set_modified(hour_ago).unwrap();
    let mut again = place.follow(&["--until-done"]);
    assert_eq!(again.end(), 0, "all of it is over");
    assert_eq!(*again.out.lock().unwrap(), "");
}

#[test]
fn signals_and_a_closed_pipe_end_it() {
    let place = Place::new(&["a"]);
    for (signal, code) in [(Signal::INT, 130), (Signal::TERM, 0)] {
        let mut following = place.follow(&[]);
        place.break_down("a");
        following.wait_for(" of a ");
        following.signal(signal);
        assert_eq!(following.end(), code);
    }
    let mut child = place.command(&["follow", "logs"]).stdout(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    let mut code = None;
    wait_for_condition("the end", || {
        code = child.try_wait().unwrap();
        code.is_some()
    });
    assert_eq!(code.unwrap().code(), Some(0));
}

#[test]
fn a_file_that_came_with_a_folder_runs_nothing_and_posts_nowhere() {
    let place = Place::new(&["a"]);
    for (key, value) in [("on-alert", "touch owned"), ("webhook", "http://127.0.0.1:1/")] {
        let text = format!("bell = true\n{key} = \"{value}\"\n");
        let refused = |folder: &Path, arguments: &[&str]| {
            let output = place.command(arguments).current_dir(folder).output().unwrap();
            let error = String::from_utf8(output.stderr).unwrap();
            assert_eq!((output.status.code(), error.lines().count()), (Some(2), 3), "{error}");
            assert!(error.contains(key), "{error}");
        };
        fs::write(place.logs().join("epochscope.toml"), &text).unwrap();
        refused(&place.logs(), &["follow", "--until-done"]);
        refused(&place.logs().join("a"), &["status"]);
        refused(place.0.path(), &["follow", "--config", "logs/epochscope.toml", "logs"]);
        fs::remove_file(place.logs().join("epochscope.toml")).unwrap();
    }
    // The user's own may.
    let own = place.home().join(".config/epochscope");
    fs::create_dir_all(&own).unwrap();
    fs::write(own.join("config.toml"), "on-alert = \"touch told\"\nquiet-hours = \"22:00-07:00\"\n").unwrap();
    let following = place.follow(&[]);
    place.break_down("a");
    wait_for_condition("the command", || place.0.path().join("told").exists());
    following.stop();
}

#[test]
fn commands_that_tell_nobody_say_so_and_a_configuration_does_not_trouble_them() {
    let place = Place::new(&["a"]);
    let refused = place.command(&["--bell", "status", "logs"]).output().unwrap();
    let error = String::from_utf8(refused.stderr).unwrap();
    assert_eq!((refused.status.code(), error.lines().count()), (Some(2), 3), "{error}");
    fs::write(place.0.path().join("epochscope.toml"), "bell = true\nquiet-hours = '22-7'\n").unwrap();
    let mut status = place.command(&["status", "logs"]);
    assert_eq!(
        status.env("EPOCHSCOPE_WEBHOOK", "http://127.0.0.1:1/").output().unwrap().status.code(),
        Some(0)
    );
}

#[test]
fn wrong_flags_are_said_in_three_lines_without_the_secret() {
    let place = Place::new(&["a"]);
    for (arguments, word) in [
        (["--webhook", "hooks.example.org/secret"], "no address"),
        (["--webhook", "ftp://example.org/secret"], "http://"),
        (["--quiet-hours", "night"], "22:00-07:00"),
        (["--on-alert", "sh -c 'x"], "quote"),
        (["--on-alert-timeout", "0"], "between"),
        (["--webhook-style", "telegram"], "ntfy"),
    ] {
        let output = place.command(&[&["follow", "logs"], &arguments[..]].concat()).output().unwrap();
        let error = String::from_utf8(output.stderr).unwrap();
        assert_eq!((output.status.code(), error.lines().count()), (Some(2), 3), "{error}");
        assert!(error.contains(word) && !error.contains("secret"), "{error}");
    }
}
