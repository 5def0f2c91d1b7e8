//! `rolecall image`.

use std::{
    io::Write,
    path::{Path, PathBuf},
};

use clap::{Args, Subcommand};

use super::{Contents, Image, ImageError, build_static, find_checkout, load_into_docker, load_into_kind};

const EXAMPLES: &str = "\
Examples:
  rolecall image build                           target/images/rolecall-proxy.tar and rolecall-tools.tar
  rolecall image build proxy --output /tmp       one of them, elsewhere
  rolecall image load                            both into Docker
  rolecall image load proxy --kind rolecall      and onto the nodes of the kind cluster `rolecall`
  rolecall image load proxy --program ./rolecall-proxy

In a checkout the programs are built first, by cargo and statically, in the profile `image`. An image is its program and
nothing else: the same program gives the same id. Ends with 5 where cargo, Docker or kind fail; their output is shown.";

/// `image`
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct ImageArgs {
    #[command(subcommand)]
    command: ImageCommand,
}

#[derive(Debug, Subcommand)]
enum ImageCommand {
    /// Write images as files for `docker load`
    #[command(after_help = EXAMPLES)]
    Build {
        #[command(flatten)]
        what: What,
        /// The folder for the files
        #[arg(long, value_name = "DIR", default_value = "target/images")]
        output: PathBuf,
    },
    /// Load images into Docker, and into a kind cluster
    #[command(after_help = EXAMPLES)]
    Load {
        #[command(flatten)]
        what: What,
        /// Also onto the nodes of this kind cluster
        #[arg(long, value_name = "CLUSTER")]
        kind: Option<String>,
    },
}

#[derive(Debug, Args)]
struct What {
    /// `proxy` or `tools`; both if none is given
    #[arg(value_name = "IMAGE")]
    images: Vec<Contents>,
    /// This static program instead of one that is built, for the one image that is named
    #[arg(long, value_name = "PATH")]
    program: Option<PathBuf>,
}

/// Does what `rolecall image` was asked.
///
/// # Errors
/// A program cannot be built, or an image cannot be put where it should be.
pub(crate) fn image(args: ImageArgs) -> Result<(), ImageError> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| ImageError::Assemble(error.to_string()))?;
    runtime.block_on(async {
        match args.command {
            ImageCommand::Build { what, output } => {
                for image in what.images().await? {
                    let path = output.join(format!("{}.tar", image.contents().repository()));
                    image.write(&path)?;
                    say(&format!("{} is in {}", about(&image), path.display()));
                }
            }
            ImageCommand::Load { what, kind } => {
                for image in what.images().await? {
                    let loaded = load_into_docker(&image).await?;
                    let how = if loaded {
                        "was loaded into Docker"
                    } else {
                        "is in Docker already"
                    };
                    say(&format!("{} {how}", about(&image)));
                    if let Some(cluster) = &kind {
                        load_into_kind(&image, cluster).await?;
                        say(&format!("{} is on the nodes of {cluster}", image.name()));
                    }
                }
            }
        }
        Ok(())
    })
}

fn about(image: &Image) -> String {
    let megabytes = image.size() as f64 / 1e6;
    format!("{} ({}, {megabytes:.1} MB)", image.name(), image.id())
}

fn say(line: &str) {
    // Nobody may be there to read it.
    let _ = writeln!(anstream::stdout(), "{line}");
}

// === impl What ===

impl What {
    async fn images(&self) -> Result<Vec<Image>, ImageError> {
        let wanted = match self.images.as_slice() {
            [] => Contents::ALL.as_slice(),
            images => images,
        };
        match (&self.program, wanted) {
            (Some(program), [one]) => return Ok(vec![Image::of(*one, program)?]),
            (Some(_), _) => return Err(ImageError::WhichImage),
            (None, _) => {}
        }
        let here = std::env::current_dir().unwrap_or_else(|_| Path::new(".").to_owned());
        let checkout = find_checkout(&here)?;
        let mut images = Vec::with_capacity(wanted.len());
        for contents in wanted {
            let _ = writeln!(
                anstream::stderr(),
                "building the {contents} image's program (minutes, if it was never built)"
            );
            let mut line = |line: &str| drop(writeln!(anstream::stderr(), "  {line}"));
            let program = build_static(*contents, &checkout, &mut line).await?;
            images.push(Image::of(*contents, &program)?);
        }
        Ok(images)
    }
}
