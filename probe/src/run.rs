use std::{
    io::{Read as _, Write as _},
    process::ExitCode,
};

use crate::{Report, Task, ask, call, sdk, walk};

/// A task is a line of JSON and perhaps an object to put; more than this is no task.
const TASK_LIMIT: u64 = 16 * 1024 * 1024;

/// Reads one [`Task`] as JSON from standard input, does it, and writes one [`Report`] as JSON to standard output.
///
/// The exit code is 0 if there is a report of what happened, refusals and silence included; 2 if the task could not be
/// read or done (the report is then [`Report::Error`]); 3 if no report could be written. Standard error stays empty but
/// for a panic's message.
///
/// It builds a runtime of one thread by itself, so it must not be called within one.
pub fn run() -> ExitCode {
    let report = match read() {
        Ok(task) => {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            match runtime {
                Ok(runtime) => runtime.block_on(perform(task)),
                Err(err) => Report::Error(format!("cannot start a runtime: {err}")),
            }
        }
        Err(err) => Report::Error(err),
    };
    let written = serde_json::to_vec(&report)
        .map_err(std::io::Error::from)
        .and_then(|mut bytes| {
            bytes.push(b'\n');
            let mut out = std::io::stdout().lock();
            out.write_all(&bytes).and_then(|()| out.flush())
        });
    match (written, report) {
        (Err(_), _) => ExitCode::from(3),
        (Ok(()), Report::Error(_)) => ExitCode::from(2),
        (Ok(()), _) => ExitCode::SUCCESS,
    }
}

/// Does one task in this process. What the environment says (`AWS_ENDPOINT_URL`, `AWS_REGION`, and all that the SDK's
/// default chain heeds) is this process's.
pub async fn perform(task: Task) -> Report {
    let done = match task {
        Task::Credentials(task) => walk::walks(task).await.map(Report::Walks),
        Task::Imds(task) => ask::ask(task).await.map(Report::Asked),
        Task::Call(task) => call::call(task).await.map(|report| Report::Call(Box::new(report))),
        Task::Sdk(task) => Ok(Report::Sdk(sdk::provide(task).await)),
    };
    done.unwrap_or_else(Report::Error)
}

fn read() -> Result<Task, String> {
    let mut bytes = Vec::new();
    let read = std::io::stdin().lock().take(TASK_LIMIT).read_to_end(&mut bytes);
    read.map_err(|err| format!("cannot read the task from standard input: {err}"))?;
    // The message of serde_json names keys and positions; a value it names only where a keyword was due.
    serde_json::from_slice(&bytes).map_err(|err| format!("standard input is not a task: {err}"))
}
