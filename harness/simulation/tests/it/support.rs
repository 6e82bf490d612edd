//! Starting the command, and a scenario to give it.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// A small scenario that passes; tests change words of it.
pub(crate) const CALL: &str = r#"title = "A call"

[lan.office]
subnet = "10.0.0.0/24"

[host.proxy]
actor = "proxy"
domain = "sim.test"

[host.alice]
actor = "phone"
user = "alice"
registrar = "proxy"

[host.bob]
actor = "phone"
user = "bob"
registrar = "proxy"

[timeline]
steps = [
  { at = "0s", host = "alice", do = "register" },
  { at = "0s", host = "bob", do = "register" },
  { at = "1s", host = "alice", do = "call", to = "bob" },
  { at = "5s", host = "alice", do = "hang-up" },
]

[outcome]
expect = [
  { name = "answered", host = "alice", receives = "200 INVITE" },
]
"#;

/// The repository's own scenarios.
pub(crate) fn scenarios() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scenarios")
}

/// The repository's folder.
pub(crate) fn root() -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    root.canonicalize()
        .expect("this crate lies in the repository")
}

/// All files of the repository with that ending, sorted; without hidden folders and what is built.
pub(crate) fn files(ending: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![root()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).expect("a folder can be read") {
            let entry = entry.expect("an entry can be read");
            let (path, name) = (entry.path(), entry.file_name());
            let skipped = name.to_string_lossy().starts_with('.') || name == "target";
            // Links to folders are not followed: they may lead back.
            if !skipped && entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                folders.push(path);
            } else if !skipped && path.extension().is_some_and(|found| found == ending) {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

/// What a run of the command came to.
pub(crate) struct Ran {
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

/// Runs the command in a folder.
pub(crate) fn linefault(folder: &Path, arguments: &[&str]) -> Ran {
    run_program(env!("CARGO_BIN_EXE_linefault").as_ref(), folder, arguments)
}

/// Runs another build of the command.
pub(crate) fn run_program(program: &Path, folder: &Path, arguments: &[&str]) -> Ran {
    output_of(Command::new(program).args(arguments).current_dir(folder))
}

/// Runs any command.
pub(crate) fn output_of(command: &mut Command) -> Ran {
    let Output {
        status,
        stdout,
        stderr,
    } = command.output().expect("the command starts");
    let text = |bytes| String::from_utf8(bytes).expect("the command speaks UTF-8");
    Ran {
        code: status.code(),
        out: text(stdout),
        err: text(stderr),
    }
}

/// A folder with one file in it.
pub(crate) fn folder_with(name: &str, text: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder");
    std::fs::write(folder.path().join(name), text).expect("it can be written to");
    folder
}
