//! The command line as a person or a pipeline meets it: exit codes, streams, formats, files, a project's own folders.
//!
//! Never looks at the text of a query: that is the business of the languages' own tests.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may fail loudly")]

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::Value;
use tempfile::TempDir;

/// A project in a temporary folder.
struct Project {
    folder: TempDir,
}

/// How a run ended and what it said.
struct Ran {
    code: i32,
    out: String,
    err: String,
}

impl Project {
    fn new() -> Self {
        Self { folder: TempDir::new().unwrap() }
    }

    /// A project with one good detection.
    fn with_one() -> Self {
        Self::new().with("detections/created.yml", good("created", 1))
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    fn with(self, path: &str, text: impl AsRef<[u8]>) -> Self {
        self.write(path, text);
        self
    }

    fn write(&self, path: &str, text: impl AsRef<[u8]>) {
        let place = self.path().join(path);
        std::fs::create_dir_all(place.parent().unwrap()).unwrap();
        std::fs::write(place, text).unwrap();
    }

    /// Runs `detc` in the folder with what stands in `input` on its standard input.
    fn run_with(&self, arguments: &[&str], input: &str, colors: &[(&str, &str)]) -> Ran {
        let mut command = Command::new(env!("CARGO_BIN_EXE_detc"));
        command.args(arguments).current_dir(self.path()).env_remove("NO_COLOR").envs(colors.iter().copied());
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        // A command that reads nothing may have ended already.
        let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
        let output = child.wait_with_output().unwrap();
        Ran {
            code: output.status.code().unwrap_or(-1),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        }
    }

    fn run(&self, arguments: &[&str]) -> Ran {
        self.run_with(arguments, "", &[])
    }

    /// Every file below a folder with its bytes.
    fn files(&self, folder: &str) -> BTreeMap<String, Vec<u8>> {
        let mut files = BTreeMap::new();
        let mut open = vec![self.path().join(folder)];
        while let Some(folder) = open.pop() {
            for entry in std::fs::read_dir(folder).into_iter().flatten() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    open.push(path);
                } else {
                    let name = path.strip_prefix(self.path()).unwrap().to_str().unwrap().replace('\\', "/");
                    files.insert(name, std::fs::read(path).unwrap());
                }
            }
        }
        files
    }
}

impl Ran {
    /// Checks the exit code.
    #[track_caller]
    fn ends(self, code: i32) -> Self {
        assert_eq!(self.code, code, "stdout:\n{}\nstderr:\n{}", self.out, self.err);
        self
    }

    /// Checks that messages hold some words.
    #[track_caller]
    fn says(self, words: &str) -> Self {
        let said = self.out.contains(words) || self.err.contains(words);
        assert!(said, "not said: {words}\nstdout:\n{}\nstderr:\n{}", self.out, self.err);
        self
    }
}

/// A detection without mistakes; the number makes its id.
fn good(name: &str, number: u32) -> String {
    format!(
        "detection: {name}\nid: 00000000-0000-4000-8000-{number:012}\ntitle: Access key created\nstatus: test\n\
         severity: medium\ndescription: A key outlives the session that made it.\nsignals:\n  created:\n    \
         source: aws.cloudtrail\n    where: eventName == \"CreateAccessKey\"\n"
    )
}

/// A file that is shipped inside the binary.
fn shipped(path: &str) -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap()
}

/// A detection that counts without a key, which is a warning.
fn without_keys(name: &str) -> String {
    format!("{}behavior: count(created) >= 5 within 1h\n", good(name, 7))
}

/// A detection with a parameter.
fn with_parameter(name: &str) -> String {
    let parameter = "parameters:\n  Limit: { type: int, default: 5 }\n";
    format!("{}behavior: count(created) >= $Limit by userIdentity.arn within 1h\n{parameter}", good(name, 8))
}

/// The line and column of every finding in the text format.
fn places(text: &str, file: &str) -> Vec<(usize, usize)> {
    let arrow = format!("--> {file}:");
    let place = |line: &str| {
        let (line, column) = line.split_once(&arrow)?.1.split_once(':')?;
        Some((line.parse().ok()?, column.parse().ok()?))
    };
    text.lines().filter_map(place).collect()
}

#[test]
fn five_mistakes_in_one_file_are_all_shown_in_their_places() {
    let text = "detection: five\nid: 00000000-0000-4000-8000-000000000001\ntitle: Five\nstatus: test\n\
                severity: hgh\ndescription: Five mistakes.\nsignals:\n  one:\n    source: aws.cloudtrail\n    where: |\n      \
                eventName == \"CreateUser\"\n      and eventNaem == \"x\"\n      and readOnly > 5\n  two:\n    \
                source: aws.cloudtrial\nbehavior: one -> two within 0m\n";
    let ran = Project::new().with("detections/five.yml", text).run(&["check"]).ends(1);
    assert_eq!(
        places(&ran.out, "detections/five.yml"),
        [(5, 11), (12, 11), (13, 20), (15, 13), (16, 29)],
        "{}",
        ran.out
    );
}

#[test]
fn one_broken_file_among_twenty_leaves_nineteen() {
    let project = Project::new();
    for number in 0..19 {
        project.write(&format!("detections/good_{number}.yml"), good(&format!("good_{number}"), number));
    }
    project.write("detections/broken.yml", good("broken", 19).replace("medium", "hgh"));
    let ran = project.run(&["compile", "-t", "splunk"]).ends(1).says("E011").says("20 detections (1 with errors)");
    let files = project.files("dist");
    assert_eq!(files.len(), 20, "nineteen queries and the manifest: {:?}\n{}", files.keys(), ran.err);
    assert!(!files.keys().any(|file| file.contains("broken")));
}

#[test]
fn a_file_that_is_not_yaml_leaves_the_others() {
    let project = Project::with_one().with("detections/broken.yml", "detection: [broken\n");
    project.run(&["compile", "-t", "splunk"]).ends(1).says("E001").says("2 detections (1 with errors)");
    assert_eq!(project.files("dist").len(), 2);
}

#[test]
fn the_second_of_two_detections_of_one_name_is_not_compiled() {
    let project = Project::with_one().with("detections/b/created.yml", good("created", 2));
    let ran = project.run(&["compile", "-t", "splunk"]).ends(1).says("E111");
    assert_eq!(ran.err.matches("error[").count(), 1, "{}", ran.err);
    assert_eq!(project.files("dist").len(), 2);
}

#[test]
fn a_detection_is_not_compiled_with_a_mistaken_list() {
    let list = "list: offices\ntitle: Offices\ntype: ip\nmatch: cidr\nentries:\n  - { value: 10.0.0.0/33 }\n";
    let text = good("created", 1).replace("eventName == \"CreateAccessKey\"", "not sourceIPAddress in $offices");
    let project = Project::new().with("detections/created.yml", text).with("detections/lists/offices.yml", list);
    project.run(&["compile", "-t", "splunk"]).ends(1).says("E011").says("the list `offices` has mistakes");
    assert!(!project.files("dist").keys().any(|file| file.contains("created")));
}

#[test]
fn good_detections_end_with_0() {
    let ran = Project::with_one().run(&["check"]).ends(0);
    assert_eq!(ran.out, "");
    Project::with_one().run(&["compile", "-t", "splunk,sentinel"]).ends(0);
}

#[test]
fn a_warning_alone_ends_with_0() {
    Project::new().with("detections/loud.yml", without_keys("loud")).run(&["check"]).ends(0).says("W504");
}

#[test]
fn an_unknown_target_is_wrong_usage() {
    let ran = Project::with_one().run(&["compile", "-t", "splnk"]).ends(2).says("E401");
    ran.says("the nearest target is `splunk`");
}

#[test]
fn a_folder_that_does_not_exist_is_wrong_usage() {
    Project::new().run(&["check", "nowhere"]).ends(2).says("`nowhere` does not exist");
    Project::new().run(&["check"]).ends(2).says("`detections` does not exist");
}

#[test]
fn an_empty_folder_is_wrong_usage() {
    let project = Project::new();
    std::fs::create_dir(project.path().join("detections")).unwrap();
    project.run(&["check"]).ends(2).says("E903");
    project.run(&["compile"]).ends(2).says("E903");
    assert!(project.files("dist").is_empty());
}

#[test]
fn wrong_arguments_are_wrong_usage() {
    Project::with_one().run(&["frobnicate"]).ends(2);
    Project::with_one().run(&["check", "--frobnicate"]).ends(2);
    Project::with_one().run(&["check", "--today", "30.06.2027"]).ends(2).says("YYYY-MM-DD");
    Project::with_one().run(&["check", "--deny", "frobnication"]).ends(2).says("--deny frobnication");
    Project::with_one().run(&["check", "--project", "nowhere"]).ends(2).says("`nowhere` is no folder");
}

#[test]
fn an_empty_file_is_reported() {
    Project::new().with("detections/empty.yml", "").run(&["check"]).ends(1).says("E007");
}

#[test]
fn a_file_that_is_not_utf_8_is_reported_and_leaves_the_others() {
    let project = Project::with_one().with("detections/latin.yml", b"detection: latin\ntitle: caf\xe9\n");
    let said = "`detections/latin.yml` is not UTF-8: the first wrong byte stands in line 2, column 11";
    project.run(&["compile", "-t", "splunk"]).ends(1).says("E018").says(said);
    assert_eq!(project.files("dist").len(), 2);
}

#[test]
fn a_byte_order_mark_and_windows_line_ends_do_not_matter() {
    let text = format!("\u{feff}{}", good("created", 1).replace('\n', "\r\n"));
    Project::new().with("detections/created.yml", text).run(&["check"]).ends(0);
}

#[test]
fn a_detection_can_come_from_standard_input() {
    let project = Project::new();
    let ran = project.run_with(&["check", "-"], &good("created", 1).replace("eventName", "eventNaem"), &[]).ends(1);
    assert_eq!(places(&ran.out, "<stdin>"), [(10, 12)]);
    let ran = project.run_with(&["compile", "-", "-t", "splunk", "-o", "-"], &good("created", 1), &[]).ends(0);
    assert!(!ran.out.is_empty());
    assert!(project.files(".").is_empty(), "nothing is written");
}

#[test]
fn one_query_goes_to_standard_output_and_nothing_else_does() {
    let project = Project::new().with("detections/loud.yml", without_keys("loud"));
    let ran = project.run(&["compile", "-t", "splunk", "-o", "-"]).ends(0);
    assert!(ran.err.contains("W504") && !ran.out.contains("W504"));
    assert!(project.files("dist").is_empty());
    project.run(&["compile", "-o", "-"]).ends(2).says("name one detection and one target");
}

#[test]
fn json_lines_stand_on_standard_output() {
    let project = Project::new().with("detections/bad.yml", good("bad", 1).replace("eventName", "eventNaem"));
    for command in ["check", "compile"] {
        let ran = project.run(&[command, "--format", "json"]).ends(1);
        let lines: Vec<Value> = ran.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(lines.len(), 1);
        assert_eq!(lines[0]["code"], "E101");
        assert_eq!((&lines[0]["line"], &lines[0]["column"]), (&Value::from(10), &Value::from(12)));
        assert_eq!(ran.err, "");
    }
}

#[test]
fn sarif_has_a_rule_for_every_result() {
    let text = without_keys("bad").replace("created:\n", "contains:\n");
    let project = Project::new().with("detections/bad.yml", text).with("detections/loud.yml", without_keys("loud"));
    let ran = project.run(&["check", "--format", "sarif"]).ends(1);
    let log: Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!(log["version"], "2.1.0");
    let run = &log["runs"][0];
    let rules: Vec<&Value> =
        run["tool"]["driver"]["rules"].as_array().unwrap().iter().map(|rule| &rule["id"]).collect();
    let results = run["results"].as_array().unwrap();
    assert!(results.len() >= 2, "{log}");
    for result in results {
        assert!(rules.contains(&&result["ruleId"]), "{result}");
        let index = usize::try_from(result["ruleIndex"].as_u64().unwrap_or(0)).unwrap();
        assert_eq!(*rules[index], result["ruleId"]);
    }
}

#[test]
fn github_gets_one_command_a_line() {
    let project = Project::new().with("detections/loud.yml", without_keys("loud"));
    let ran = project.run(&["check", "--format", "github"]).ends(0);
    assert!(!ran.out.is_empty());
    assert!(ran.out.lines().all(|line| line.starts_with("::warning file=detections/loud.yml,line=")), "{}", ran.out);
}

#[test]
fn denied_warnings_are_errors() {
    let project = Project::new().with("detections/loud.yml", without_keys("loud"));
    project.run(&["check", "--deny", "warnings"]).ends(1).says("error[W504]");
    project.run(&["check", "--deny", "W504"]).ends(1).says("error[W504]");
    project.run(&["check", "--deny", "w504"]).ends(1).says("error[W504]");
    project.run(&["check", "--deny", "NoKeys"]).ends(1).says("error[W504]");
    project.run(&["check", "--deny", "W501"]).ends(0).says("warning[W504]");
}

#[test]
fn quiet_shows_errors_only_and_verbose_shows_hints() {
    let project = Project::new().with("detections/loud.yml", without_keys("loud"));
    let ran = project.run(&["check", "--quiet"]).ends(0);
    assert_eq!((ran.out.as_str(), ran.err.as_str()), ("", ""));
    project.run(&["check", "--verbose"]).ends(0).says("hint[W503]");
}

#[test]
fn today_decides_what_has_expired() {
    let exception =
        "exceptions:\n  - when: readOnly\n    owner: team\n    reason: reads only\n    expires: 2027-06-30\n";
    let project = Project::new().with("detections/created.yml", good("created", 1) + exception);
    let ran = project.run(&["check", "--today", "2027-06-30"]).ends(0);
    assert_eq!(ran.out, "", "the last day counts");
    project.run(&["check", "--today", "2027-07-01"]).ends(0).says("W505");
    project.run(&["check", "--today", "2027-07-01", "--deny", "expired"]).ends(1).says("error[W505]");
}

#[test]
fn a_parameter_can_be_set() {
    let project = Project::new().with("detections/counted.yml", with_parameter("counted"));
    let query = |arguments: &[&str]| {
        let all = [&["compile", "-t", "splunk", "-o", "-"], arguments].concat();
        project.run(&all).ends(0).out
    };
    assert_ne!(query(&[]), query(&["--set", "Limit=17"]));
    assert_eq!(query(&["--set", "Limit=5"]).lines().last(), query(&[]).lines().last());
}

#[test]
fn a_parameter_that_does_not_exist_or_fit_is_wrong_usage() {
    let project = Project::new().with("detections/counted.yml", with_parameter("counted"));
    project.run(&["check", "--set", "Limt=17"]).ends(2).says("E105").says("the nearest parameter is `Limit`");
    let ran = project.run(&["check", "--set", "Limit=many"]).ends(2);
    let ran = ran.says("E904").says("the value given for parameter `Limit`: `many` is no whole number of 64 bits");
    assert_eq!(ran.out.matches("error[").count() + ran.err.matches("error[").count(), 1);
    project.run(&["check", "--set", "Limit"]).ends(2).says("NAME=VALUE");
    Project::with_one().run(&["check", "--set", "Limit=1"]).ends(2).says("no detection here declares parameters");
}

#[test]
fn a_second_compile_writes_nothing_new() {
    let project = Project::with_one().with("detections/counted.yml", with_parameter("counted"));
    project.run(&["compile", "--today", "2026-06-01"]).ends(0);
    let first = project.files("dist");
    let written = |file: &String| std::fs::metadata(project.path().join(file)).unwrap().modified().unwrap();
    let times: Vec<_> = first.keys().map(written).collect();
    project.run(&["compile", "--today", "2026-06-01"]).ends(0);
    assert_eq!(project.files("dist"), first);
    assert_eq!(first.keys().map(written).collect::<Vec<_>>(), times);
}

#[test]
fn two_folders_get_identical_bytes() {
    let project = Project::with_one().with("detections/counted.yml", with_parameter("counted"));
    project.run(&["compile", "-o", "one"]).ends(0);
    project.run(&["compile", "-o", "two"]).ends(0);
    let without_folder = |folder: &str| -> Vec<_> {
        let files = project.files(folder);
        files.into_iter().map(|(name, bytes)| (name.split_once('/').unwrap().1.to_owned(), bytes)).collect()
    };
    assert_eq!(without_folder("one"), without_folder("two"));
    assert!(project.files(".").keys().all(|file| !file.contains("detc-")), "nothing is left over");
}

#[test]
fn files_of_a_removed_detection_go_and_others_stay() {
    let project = Project::with_one().with("detections/gone.yml", good("gone", 2));
    project.run(&["compile", "-t", "splunk"]).ends(0);
    project.write("dist/README.md", "ours");
    project.write("dist/splunk/notes.txt", "ours");
    let before = project.files("dist");
    assert!(before.keys().any(|file| file.contains("gone")));
    std::fs::remove_file(project.path().join("detections/gone.yml")).unwrap();
    project.run(&["compile", "-t", "splunk"]).ends(0);
    let after = project.files("dist");
    assert!(!after.keys().any(|file| file.contains("gone")));
    assert!(after.contains_key("dist/README.md") && after.contains_key("dist/splunk/notes.txt"));
}

#[test]
fn a_manifest_that_names_files_outside_removes_none_of_them() {
    let project = Project::with_one().with("precious.txt", "ours");
    let manifest = r#"{"records": [{"file": "../precious.txt"}, {"file": "/etc/hostname"}]}"#;
    project.write("dist/manifest.json", manifest);
    project.run(&["compile", "-t", "splunk"]).ends(0);
    assert!(project.path().join("precious.txt").exists());
}

#[test]
fn a_folder_that_cannot_be_written_is_reported() {
    let project = Project::with_one().with("dist", "a file, not a folder");
    project.run(&["compile", "-t", "splunk"]).ends(2).says("E902").says("`dist");
    assert_eq!(std::fs::read(project.path().join("dist")).unwrap(), b"a file, not a folder");
}

#[test]
fn colour_is_for_terminals_or_on_demand() {
    let project = Project::new().with("detections/loud.yml", without_keys("loud"));
    let escape = '\u{1b}';
    assert!(!project.run(&["check"]).ends(0).out.contains(escape), "a pipe gets none");
    assert!(!project.run_with(&["check"], "", &[("NO_COLOR", "1")]).ends(0).out.contains(escape));
    assert!(!project.run(&["check", "--color", "never"]).ends(0).out.contains(escape));
    assert!(project.run(&["check", "--color", "always"]).ends(0).out.contains(escape));
}

#[test]
fn help_and_version_are_results() {
    for arguments in [vec!["--help"], vec!["--version"], vec!["check", "--help"], vec!["compile", "--help"]] {
        let ran = Project::new().run(&arguments).ends(0);
        assert!(ran.out.contains("detc") && ran.err.is_empty(), "{arguments:?}");
    }
    Project::new().run(&[]).ends(2).says("Usage");
}

#[test]
fn completions_exist_for_shells() {
    for shell in ["bash", "zsh", "fish"] {
        let ran = Project::new().run(&["completions", shell]).ends(0);
        assert!(ran.out.contains("compile"), "{shell}");
    }
    Project::new().run(&["completions", "cobol"]).ends(2);
}

const BADGE: &str = "$schema: https://json-schema.org/draft/2020-12/schema\n$id: urn:detc:source:acme.badge\n\
    title: Badge readers\ndescription: Doors and who opened them.\nx-source:\n  name: acme.badge\n  time: at\n  clock: 1s\n  \
    lag: 1m\n  signature: [at, door]\ntype: object\nrequired: [at, door]\nproperties:\n  \
    at: { type: string, format: date-time, description: Instant. }\n  door: { type: string, description: Door. }\n";

#[test]
fn a_projects_own_schema_adds_a_source() {
    let text = good("opened", 1).replace("aws.cloudtrail", "acme.badge").replace("eventName", "door");
    let project = Project::new().with("detections/opened.yml", text).with("schemas/sources/acme.badge.yml", BADGE);
    project.run(&["check"]).ends(0);
    project.run(&["schema", "list"]).ends(0).says("acme.badge");
}

#[test]
fn a_projects_own_schema_overrides_a_shipped_one() {
    let schema = shipped("schemas/sources/aws.cloudtrail.yml");
    let schema =
        schema.replacen("\nproperties:\n", "\nproperties:\n  badge: { type: string, description: Door. }\n", 1);
    let text = good("created", 1).replace("eventName", "badge");
    let project = Project::new().with("detections/created.yml", text);
    project.run(&["check"]).ends(1).says("E101");
    project.with("schemas/sources/aws.cloudtrail.yml", schema).run(&["check"]).ends(0);
}

#[test]
fn a_projects_own_target_overrides_a_shipped_one() {
    let project = Project::with_one();
    project.run(&["compile", "-t", "sigma"]).ends(0);
    let before = project.files("dist");
    project
        .write("targets/sigma/target.yml", shipped("targets/sigma/target.yml").replace("interval: 5m", "interval: 7m"));
    project.run(&["compile", "-t", "sigma"]).ends(0);
    assert_ne!(project.files("dist"), before);
}

#[test]
fn a_projects_own_target_adds_one() {
    let target = "target: lake\ntitle: Our lake\nbackend: spl\ninterval: 5m\n";
    let map = shipped("targets/splunk/fields/aws.cloudtrail.yml");
    let project =
        Project::with_one().with("targets/lake/target.yml", target).with("targets/lake/fields/aws.cloudtrail.yml", map);
    project.run(&["compile", "-t", "lake"]).ends(0);
    assert!(project.files("dist").keys().any(|file| file.contains("/lake/")), "{:?}", project.files("dist").keys());
}

#[test]
fn mistakes_in_a_projects_own_files_are_configuration() {
    let project = Project::with_one().with("targets/lake/target.yml", "target: lake\n");
    project.run(&["check"]).ends(2).says("E404").says("targets/lake/target.yml");
    let project =
        Project::with_one().with("targets/lake/target.yml", "target: lake\ntitle: a\nbackend: sql\ninterval: 5m\n");
    project.run(&["check"]).ends(2).says("unknown backend `sql`");
    let project = Project::with_one().with("schemas/sources/acme.badge.yml", BADGE.replace("door: {", "gate: {"));
    project.run(&["check"]).ends(2).says("E114").says("schemas/sources/acme.badge.yml");
}

#[test]
fn tests_of_detections_run_and_failures_are_shown() {
    let tests = |alerts: u32| {
        let event = "{ at: 1m, source: aws.cloudtrail, event: { eventName: CreateUser } }";
        format!("tests:\n  - name: shown\n    events: [{event}]\n    expect: {{ alerts: {alerts}, at: [1m] }}\n")
    };
    let detection = |alerts: u32| {
        let head =
            "detection: ran\nid: 3f1d0a52-7c1e-4b53-9a55-0f3a1a6f0c98\ntitle: Ran\nstatus: test\nseverity: low\n";
        let body =
            "description: Ran.\nsignals:\n  made: { source: aws.cloudtrail, where: 'eventName == \"CreateUser\"' }\n";
        format!("{head}{body}{}", tests(alerts))
    };
    let project = Project::new().with("detections/ran.yml", detection(1));
    let ran = project.run_with(&["test"], "", &[]);
    assert_eq!((ran.code, ran.out.as_str()), (0, ""), "{}", ran.err);
    assert!(ran.err.contains("1 test passed, 0 failed in 1 detection"), "{}", ran.err);
    project.write("detections/ran.yml", detection(2));
    let ran = project.run_with(&["test"], "", &[]);
    assert_eq!(ran.code, 1, "{}", ran.err);
    for part in ["test `shown` failed", "alerts: expected 2, got 1", "1m aws.cloudtrail: made", "1m (made 1m)"] {
        assert!(ran.out.contains(part), "{part}: {}", ran.out);
    }
    let failed: Value = serde_json::from_str(&project.run_with(&["test", "--format", "json"], "", &[]).out).unwrap();
    assert_eq!(failed["test"], "shown");
    assert_eq!(failed["failures"][0], "alerts: expected 2, got 1");
    assert_eq!(failed["timeline"][0]["events"][0]["signals"][0], "made");
    assert_eq!(failed["hits"][0]["at"], "1m");
    let github = project.run_with(&["test", "--format", "github"], "", &[]).out;
    assert!(github.contains("test `shown` failed: alerts: expected 2, got 1"), "{github}");
    project.run_with(&["test", "--junit", "junit.xml"], "", &[]);
    let junit = std::fs::read_to_string(project.path().join("junit.xml")).unwrap();
    assert!(junit.contains("<testsuite name=\"ran\" tests=\"1\" failures=\"1\">"), "{junit}");
    assert!(junit.contains("<failure message=\"alerts: expected 2, got 1\">"), "{junit}");
    assert_eq!(project.run_with(&["test", "nowhere"], "", &[]).code, 2);
}

#[test]
fn changes_of_meaning_that_no_test_notices_are_reported() {
    let signal = "detection: counted\nid: 00000000-0000-4000-8000-000000000077\ntitle: Counted\nstatus: test\n\
                  severity: low\ndescription: Counted.\nsignals:\n  made: { source: okta.system }\n\
                  behavior: count(made) >= 2 by actor.alternateId within 1m\nalert: { suppress: none }\ntests:\n";
    let test = |number: usize, events: &[(&str, &str)], hits: usize| {
        let event = |(at, who): &(&str, &str)| {
            format!("      - {{ at: {at}, source: okta.system, event: {{ actor.alternateId: {who} }} }}\n")
        };
        let events: String = events.iter().map(event).collect();
        format!("  - name: test {number}\n    events:\n{events}    expect: {{ hits: {hits} }}\n")
    };
    let edges = [
        test(1, &[("0s", "ana"), ("1m", "ana")], 1),
        test(2, &[("0s", "ana"), ("60001ms", "ana")], 0),
        test(3, &[("0s", "ana"), ("1s", "ben")], 0),
    ];
    let project = Project::new().with("detections/counted.yml", format!("{signal}{}", edges.concat()));
    let ran = project.run_with(&["test", "--mutate"], "", &[]);
    assert_eq!((ran.code, ran.out.as_str()), (0, ""), "{}", ran.err);
    assert!(ran.err.contains("5 changes of meaning: 5 noticed, 0 unnoticed"), "{}", ran.err);
    project.write("detections/counted.yml", format!("{signal}{}", edges[0]));
    let ran = project.run_with(&["test", "--mutate"], "", &[]);
    assert_eq!(ran.code, 1, "{}", ran.err);
    for part in ["window 1m -> 60001ms would go unnoticed", "key `actor.alternateId` dropped would go unnoticed"] {
        assert!(ran.out.contains(part), "{part}: {}", ran.out);
    }
    assert!(
        ran.out.contains("the one at 0s with \"another\" in `actor.alternateId` (no hit; with the change"),
        "{}",
        ran.out
    );
    let lines = project.run_with(&["test", "--mutate", "--format", "json"], "", &[]).out;
    assert!(lines.lines().all(|line| serde_json::from_str::<Value>(line).unwrap()["code"] == "E602"), "{lines}");
    project.write("detections/counted.yml", format!("{signal}{}", test(1, &[("0s", "ana")], 1)));
    let ran = project.run_with(&["test", "--mutate"], "", &[]);
    assert!(ran.code == 1 && ran.out.contains("test `test 1` fails without any change"), "{}", ran.out);
}

#[test]
fn the_tests_of_the_examples_notice_every_change_of_meaning() {
    let mut command = Command::new(env!("CARGO_BIN_EXE_detc"));
    let output =
        command.args(["test", "--mutate", "examples"]).current_dir(env!("CARGO_MANIFEST_DIR")).output().unwrap();
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert_eq!((output.status.code(), &*out), (Some(0), ""), "{err}");
    assert!(err.contains(" 0 unnoticed"), "{err}");
}

#[test]
fn a_closed_pipe_behind_completions_is_no_failure() {
    let mut command = Command::new(env!("CARGO_BIN_EXE_detc"));
    let mut child =
        command.args(["completions", "bash"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
}

#[cfg(target_os = "linux")]
#[test]
fn output_that_cannot_be_written_is_said() {
    let project = Project::with_one();
    for (arguments, code) in [
        (["compile", "-tsplunk", "-o-"], 2),
        (["explain", "detections/created.yml", "-tsplunk"], 2),
        (["schema", "show", "okta.system"], 2),
        (["check", "--format", "sarif"], 1),
    ] {
        let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_detc"));
        let output = command.args(arguments).current_dir(project.path()).stdout(full).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {said}");
        assert!(said.contains("the output cannot be written"), "{arguments:?}: {said}");
    }
}

#[test]
fn a_single_query_that_does_not_exist_is_explained() {
    let text = good("created", 1) + "behavior: new(created.sourceIPAddress) by userIdentity.arn over 7d\n";
    let project = Project::new().with("detections/created.yml", &text);
    project.run(&["compile", "-t", "sigma", "-o", "-"]).ends(1).says("E402");
    project.write("detections/created.yml", text + "targets: [splunk]\n");
    project.run(&["compile", "-t", "sigma", "-o", "-"]).ends(2).says("compiled for this target");
}

#[test]
fn hints_say_why_a_query_is_approximate() {
    let text = good("created", 1) + "behavior: count(created) >= 5 by userIdentity.arn within 1h\n";
    let project = Project::new().with("detections/created.yml", text);
    let ran = project.run(&["compile", "-t", "sigma"]).ends(0).says("`-v` says why");
    assert!(!ran.err.contains("E403"), "{}", ran.err);
    project.run(&["compile", "-t", "sigma", "-v"]).ends(0).says("hint[E403]");
}

#[test]
fn one_file_may_be_named_twice() {
    let project = Project::with_one();
    let whole = project.path().join("detections/created.yml");
    project.run(&["check", "detections/created.yml", "./detections", whole.to_str().unwrap()]).ends(0);
    project.run_with(&["check", "-", "-"], &good("created", 1), &[]).ends(0);
}

#[test]
fn a_parameter_given_twice_is_wrong_usage() {
    let ran = Project::with_one().run(&["check", "--set", "A=1", "--set", "A=2"]);
    ran.ends(2).says("`--set` gives `A` twice");
}

#[test]
fn targets_may_stand_behind_blanks() {
    Project::with_one().run(&["compile", "-t", "splunk, sigma"]).ends(0);
}

#[test]
fn a_missing_path_is_a_finding_in_every_format() {
    let ran = Project::new().run(&["check", "nowhere", "--format", "sarif"]).ends(2);
    assert!(ran.out.contains("`nowhere` does not exist"), "{}", ran.out);
}

#[test]
fn a_mistake_in_a_binding_is_said_without_names_of_types() {
    let map = shipped("targets/splunk/fields/aws.cloudtrail.yml");
    let map = map.replace("  eventName: eventName\n", "  eventName: { path: eventName, typ: string }\n");
    let ran = Project::with_one().with("targets/splunk/fields/aws.cloudtrail.yml", map).run(&["check"]);
    ran.ends(2).says("unknown field `typ`");
}

#[test]
fn a_file_of_the_catalogue_is_named_after_what_it_holds() {
    let schema = shipped("schemas/sources/okta.system.yml");
    let ran = Project::with_one().with("schemas/sources/okta.yml", schema).run(&["check"]).ends(2);
    ran.says("`schemas/sources/okta.yml` speaks of `okta.system`");
}

#[test]
fn an_unknown_keyword_of_a_schema_is_an_error() {
    let schema = shipped("schemas/sources/okta.system.yml").replace("x-case: canonical", "x-caze: canonical");
    let ran = Project::with_one().with("schemas/sources/okta.system.yml", schema).run(&["check"]).ends(2);
    ran.says("there is no keyword `x-caze`");
}

#[test]
fn schema_shows_what_each_source_has_for_the_fields_of_a_class() {
    let project = Project::new();
    project.run(&["schema", "list"]).ends(0).says("cloud.api_activity  Calls of cloud APIs");
    let run = project.run(&["schema", "show", "cloud.api_activity", "--field", "credential_uid"]).ends(0);
    run.says("aws.cloudtrail: userIdentity.accessKeyId").says("azure.activity: missing: the record names");
    project.run(&["schema", "show", "cloud.api_activty"]).ends(2).says("the nearest source is `cloud.api_activity`");
}
