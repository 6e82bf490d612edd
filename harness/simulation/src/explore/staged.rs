//! Files that are written whole or not at all.

use std::io::{self, Write as _};
use std::path::Path;

use tempfile::NamedTempFile;

/// The text in a hidden file of that folder, safe on disk: renaming it makes the file that is wanted.
///
/// # Errors
/// The folder cannot be written to, or is full.
pub(crate) fn staged(folder: &Path, text: &str) -> io::Result<NamedTempFile> {
    let mut file = tempfile::Builder::new()
        .prefix(".linefault-")
        .tempfile_in(folder)?;
    file.write_all(text.as_bytes())?;
    file.as_file().sync_all()?;
    Ok(file)
}
