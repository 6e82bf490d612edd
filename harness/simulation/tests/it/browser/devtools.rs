//! As much of the DevTools protocol as the tests need, over a pair of pipes: JSON objects, each with a NUL behind it.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use serde_json::{Value, json};

/// A browser that takes longer for anything has failed.
const PATIENCE: Duration = Duration::from_secs(60);

/// A browser without a window; ends with its value.
pub(super) struct Browser {
    process: Child,
    line: Mutex<Line>,
    /// The browser's own folder, removed with it.
    _profile: tempfile::TempDir,
}

struct Line {
    to: ChildStdin,
    from: Receiver<Value>,
    commands: u64,
    /// Events that came while an answer was waited for.
    events: Vec<Value>,
}

/// One page.
pub(super) struct Tab<'a> {
    browser: &'a Browser,
    session: String,
}

impl Browser {
    pub(super) fn start(program: &str) -> Self {
        let profile = tempfile::tempdir().expect("a temporary folder");
        // The browser reads commands from descriptor 3 and writes answers to descriptor 4.
        let mut process = Command::new("sh")
            .args([
                "-c",
                "exec \"$0\" \"$@\" 3<&0 4>&1 0</dev/null 1>&2",
                program,
            ])
            .args([
                "--headless",
                "--no-sandbox",
                "--disable-gpu",
                "--no-first-run",
                "--remote-debugging-pipe",
            ])
            .arg(format!("--user-data-dir={}", profile.path().display()))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("a shell starts");
        let to = process.stdin.take().expect("it is piped");
        let mut out = BufReader::new(process.stdout.take().expect("it is piped"));
        let (sender, from) = mpsc::channel();
        thread::spawn(move || {
            let mut bytes = Vec::new();
            while out.read_until(0, &mut bytes).is_ok_and(|read| read > 0) {
                bytes.pop();
                let message = serde_json::from_slice(&bytes).expect("the browser speaks JSON");
                if sender.send(message).is_err() {
                    return;
                }
                bytes.clear();
            }
        });
        let line = Mutex::new(Line {
            to,
            from,
            commands: 0,
            events: Vec::new(),
        });
        Self {
            process,
            line,
            _profile: profile,
        }
    }

    pub(super) fn tab(&self) -> Tab<'_> {
        let target = self.line().command(
            None,
            "Target.createTarget",
            &json!({ "url": "about:blank" }),
        );
        let attach = json!({ "targetId": target["targetId"], "flatten": true });
        let attached = self.line().command(None, "Target.attachToTarget", &attach);
        let session = attached["sessionId"]
            .as_str()
            .expect("a session")
            .to_owned();
        let tab = Tab {
            browser: self,
            session,
        };
        for domain in ["Page.enable", "Runtime.enable", "Log.enable"] {
            tab.command(domain, &json!({}));
        }
        tab
    }

    fn line(&self) -> MutexGuard<'_, Line> {
        self.line.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // It may have ended already; then there is nothing to do.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Line {
    fn command(&mut self, session: Option<&str>, method: &str, params: &Value) -> Value {
        self.commands += 1;
        let id = self.commands;
        let mut command = json!({ "id": id, "method": method, "params": params });
        if let Some(session) = session {
            command["sessionId"] = session.into();
        }
        let bytes = command.to_string() + "\0";
        self.to
            .write_all(bytes.as_bytes())
            .expect("the browser lives");
        loop {
            let message = self
                .from
                .recv_timeout(PATIENCE)
                .expect("the browser answers");
            if message["id"] == id {
                assert!(message.get("error").is_none(), "{method}: {message}");
                return message["result"].clone();
            }
            self.events.push(message);
        }
    }

    fn wait_for(&mut self, method: &str) {
        while !self.events.iter().any(|event| event["method"] == method) {
            let message = self.from.recv_timeout(PATIENCE);
            self.events.push(message.expect("the browser tells"));
        }
        self.events.retain(|event| event["method"] != method);
    }
}

impl Tab<'_> {
    fn command(&self, method: &str, params: &Value) -> Value {
        self.browser
            .line()
            .command(Some(&self.session), method, params)
    }

    /// Loads a page afresh, even where only the fragment differs.
    pub(super) fn open(&self, url: &str) {
        self.command("Page.navigate", &json!({ "url": "about:blank" }));
        self.browser.line().wait_for("Page.loadEventFired");
        self.command("Page.navigate", &json!({ "url": url }));
        self.browser.line().wait_for("Page.loadEventFired");
    }

    /// Sets the size of the window, as on a screen of that size.
    pub(super) fn size(&self, width: u32, height: u32) {
        let size = json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600 });
        self.command("Emulation.setDeviceMetricsOverride", &size);
    }

    /// What the user prefers: "light" or "dark".
    pub(super) fn scheme(&self, scheme: &str) {
        let feature = json!({ "name": "prefers-color-scheme", "value": scheme });
        self.command(
            "Emulation.setEmulatedMedia",
            &json!({ "features": [feature] }),
        );
    }

    /// What an expression comes to.
    pub(super) fn evaluate(&self, expression: &str) -> Value {
        let question =
            json!({ "expression": expression, "returnByValue": true, "awaitPromise": true });
        let answer = self.command("Runtime.evaluate", &question);
        assert!(
            answer.get("exceptionDetails").is_none(),
            "{expression}: {answer}"
        );
        answer["result"]["value"].clone()
    }

    pub(super) fn number(&self, expression: &str) -> u64 {
        let value = self.evaluate(expression);
        value
            .as_u64()
            .unwrap_or_else(|| panic!("{expression} is {value}"))
    }

    pub(super) fn text(&self, expression: &str) -> String {
        let value = self.evaluate(&format!("String({expression})"));
        value.as_str().unwrap_or_default().to_owned()
    }

    /// Waits until an expression is true: what the page does later, like following an address.
    pub(super) fn wait_until(&self, expression: &str) {
        self.evaluate(&format!(
            "new Promise((done) => {{ const look = () => ({expression}) ? done() : setTimeout(look, 10); look() }})"
        ));
    }

    /// Brings an element into view and clicks with the mouse in the middle of what is visible of it.
    pub(super) fn click_on(&self, element: &str) {
        // The page draws what comes into view in the next frame.
        self.evaluate(&format!(
            "({element}).scrollIntoView({{ block: 'center', inline: 'start' }}); \
             new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"
        ));
        let place = self.evaluate(&format!(
            "(() => {{ const box = ({element}).getBoundingClientRect(); \
             return [(Math.max(box.left, 0) + Math.min(box.right, innerWidth)) / 2, (box.top + box.bottom) / 2] }})()"
        ));
        for kind in ["mousePressed", "mouseReleased"] {
            let click = json!({ "type": kind, "x": place[0], "y": place[1], "button": "left", "clickCount": 1 });
            self.command("Input.dispatchMouseEvent", &click);
        }
    }

    pub(super) fn press(&self, key: &str) {
        for kind in ["keyDown", "keyUp"] {
            self.command(
                "Input.dispatchKeyEvent",
                &json!({ "type": kind, "key": key }),
            );
        }
    }

    /// The window as a picture.
    pub(super) fn screenshot(&self) -> Vec<u8> {
        let picture = self.command("Page.captureScreenshot", &json!({ "format": "png" }));
        base64(picture["data"].as_str().unwrap_or_default())
    }

    /// Uncaught exceptions, and errors that the page or the browser wrote to the console.
    pub(super) fn complaints(&self) -> Vec<String> {
        self.evaluate("0");
        let line = self.browser.line();
        let is_complaint = |event: &&Value| match event["method"].as_str() {
            Some("Runtime.exceptionThrown") => true,
            Some("Runtime.consoleAPICalled") => event["params"]["type"] == "error",
            Some("Log.entryAdded") => event["params"]["entry"]["level"] == "error",
            _ => false,
        };
        let complaints = line.events.iter().filter(is_complaint);
        complaints.map(Value::to_string).collect()
    }
}

/// RFC 4648 §4.
fn base64(text: &str) -> Vec<u8> {
    let value = |letter: u8| match letter {
        b'A'..=b'Z' => Some(letter - b'A'),
        b'a'..=b'z' => Some(letter - b'a' + 26),
        b'0'..=b'9' => Some(letter - b'0' + 52),
        b'+' => Some(62),
        b'/' => Some(63),
        _ => None,
    };
    let values: Vec<u8> = text.bytes().filter_map(value).collect();
    let mut bytes = Vec::with_capacity(values.len() * 3 / 4);
    for group in values.chunks(4) {
        let bits = group
            .iter()
            .fold(0_u32, |bits, value| bits << 6 | u32::from(*value));
        let bits = bits << (6 * (4 - group.len()));
        bytes.extend(
            bits.to_be_bytes()
                .into_iter()
                .skip(1)
                .take(group.len() * 3 / 4),
        );
    }
    bytes
}
