//! The page in a real browser, where one is installed: hostile names are shown literally, and nothing is asked of the network.

use std::io::ErrorKind;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};
use std::{env, fs};

use blastradius::report::html;

use super::pages::{HOSTILE, hostile};
use crate::cli::{Folder, blastradius, stdout};

/// Longer than a browser takes on a busy machine.
const PATIENCE: Duration = Duration::from_secs(120);

/// A browser that can be asked what it makes of a page.
fn browser() -> Option<PathBuf> {
    let path = env::var_os("PATH")?;
    let names = ["chromium", "chromium-browser", "google-chrome"];
    let mut files = env::split_paths(&path).flat_map(|folder| names.map(|name| folder.join(name)));
    files.find(|file| file.is_file())
}

/// Waits for the browser; one that never ends is ended.
fn wait(mut child: Child) {
    let start = Instant::now();
    while child.try_wait().expect("it can be waited for").is_none() {
        if start.elapsed() > PATIENCE {
            let _ = child.kill();
            panic!("the browser never ended");
        }
        thread::sleep(Duration::from_millis(50));
    }
}

/// What the browser has made of a page.
fn dom(browser: &Path, folder: &Folder, page: &str) -> String {
    let dom = folder.path("dom.html");
    let child = Command::new(browser)
        .args([
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--dump-dom",
            "--no-first-run",
            "--allow-file-access-from-files",
        ])
        .arg(format!("--user-data-dir={}", folder.path("profile")))
        .arg(format!("file://{page}"))
        .stdin(Stdio::null())
        .stdout(fs::File::create(&dom).expect("a file for the DOM"))
        .stderr(Stdio::null())
        .spawn()
        .expect("the browser starts");
    wait(child);
    fs::read_to_string(dom).expect("the DOM as text")
}

/// A page that shows another one as wide as a telephone, and says what of it is cut: what reaches beyond its edge, and is in no box that scrolls.
const NARROW: &str = r#"<!doctype html><body style="margin:0"><iframe id=f src="page.html" width=400 height=4000 style="border:0"></iframe><pre id=o></pre>
<script>f.onload = () => {
  const d = f.contentDocument, root = d.documentElement, cut = [];
  for (const e of d.body.querySelectorAll('*')) {
    const box = e.parentElement.closest('.wide, pre, svg');
    if (!box && e.getBoundingClientRect().right > root.clientWidth + 1) cut.push(e.tagName + '.' + e.className);
  }
  const wide = [...d.querySelectorAll('.wide')];
  const scrolls = wide.filter(e => e.scrollWidth > e.clientWidth && getComputedStyle(e).overflowX === 'auto').length;
  const inside = d.querySelectorAll('.wide caption, .wide .caption').length;
  o.textContent = `measured: ${wide.length} tables, ${scrolls} scroll, ${inside} captions in them, page ${root.scrollWidth > root.clientWidth ? 'scrolls' : 'fits'}, cut: [${cut}]`;
}</script>"#;

#[test]
fn on_a_telephone_tables_scroll_and_nothing_is_cut() {
    let Some(browser) = browser() else {
        eprintln!("skipped: neither chromium nor google-chrome is installed");
        return;
    };
    let folder = Folder::new();
    let blast = blastradius(&["blast", "04", "--for", "20s", "--html"]);
    folder.file("page.html", stdout(&blast));
    let frame = folder.file("frame.html", NARROW);
    let dom = dom(&browser, &folder, &frame);
    let (_, told) = dom.split_once("measured: ").expect("it was measured");
    assert!(
        told.starts_with("3 tables, 3 scroll, 0 captions in them, page fits, cut: []"),
        "{told}"
    );
}

#[test]
fn a_browser_shows_names_literally_and_asks_nothing_of_the_network() {
    let Some(browser) = browser() else {
        eprintln!("skipped: neither chromium nor google-chrome is installed");
        return;
    };
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    listener.set_nonblocking(true).expect("it need not wait");
    let port = listener.local_addr().expect("its address").port();
    let baits = [
        format!("<img src=http://127.0.0.1:{port}/image>"),
        format!("<link rel=stylesheet href=http://127.0.0.1:{port}/style>"),
        format!("<script src=http://127.0.0.1:{port}/script></script>"),
    ];
    let name = baits.concat() + &HOSTILE.concat();
    let (document, seconds) = hostile(&name);
    let folder = Folder::new();
    let page = folder.file("page.html", html(&document, &seconds));
    let dom = dom(&browser, &folder, &page);
    for shown in [
        "&lt;script&gt;alert(1)&lt;/script&gt;",
        "&lt;img src=http://127.0.0.1",
        "\\u{1b}[2J\\u{7}\\u{0}",
        "\\u{202e}evil",
        "שרת/1",
        "default-src 'none'",
    ] {
        assert!(dom.contains(shown), "`{shown}` is not shown in:\n{dom}");
    }
    for element in ["<script", "<img", "<link"] {
        assert!(!dom.contains(element), "the page has an element {element}");
    }
    let asked = listener.accept().expect_err("nothing is asked of the network");
    assert_eq!(asked.kind(), ErrorKind::WouldBlock);
}
