//! An image as a file that `docker load`, `ctr images import` and `skopeo` read.

use std::{fmt, fs, path::Path, str::FromStr};

use oci_spec::image::{
    ConfigBuilder, Descriptor, DescriptorBuilder, ImageConfigurationBuilder, ImageIndexBuilder, ImageManifestBuilder,
    MediaType, OciLayoutBuilder, Os, RootFsBuilder, Sha256Digest,
};
use serde::Serialize;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::{
    Contents, ImageError,
    elf::architecture,
    layer::{file, folder, layer},
};

/// Hexadecimal digits of the image's id that are its tag.
const TAG: usize = 12;

/// An image, whole.
#[derive(Clone)]
pub(crate) struct Image {
    contents: Contents,
    id: String,
    archive: Vec<u8>,
    layer: usize,
}

/// A document or layer by the digest of its bytes.
struct Blob {
    digest: String,
    bytes: Vec<u8>,
}

// === impl Image ===

impl Image {
    /// The image of a static program.
    ///
    /// # Errors
    /// The file cannot be read, or is no static program.
    pub(crate) fn of(contents: Contents, program: &Path) -> Result<Self, ImageError> {
        let bytes = fs::read(program).map_err(|error| ImageError::Read {
            path: program.to_owned(),
            error,
        })?;
        Self::new(contents, &bytes).map_err(|error| match error {
            ImageError::Program { why, .. } => ImageError::Program {
                path: program.to_owned(),
                why,
            },
            error => error,
        })
    }

    fn new(contents: Contents, program: &[u8]) -> Result<Self, ImageError> {
        let architecture = architecture(program).map_err(|why| ImageError::Program {
            path: contents.program().into(),
            why,
        })?;
        let layer = Blob::new(layer(contents, program).map_err(assemble)?);
        let config = ConfigBuilder::default()
            .entrypoint([format!("/{}", contents.program())])
            .env(["PATH=/".to_owned()])
            .user("0:0")
            .working_dir("/")
            .build()
            .map_err(assemble)?;
        let config = ImageConfigurationBuilder::default()
            .created("1970-01-01T00:00:00Z")
            .architecture(architecture)
            .os(Os::Linux)
            .config(config)
            .rootfs(
                RootFsBuilder::default()
                    .typ("layers")
                    .diff_ids([format!("sha256:{}", layer.digest)])
                    .build()
                    .map_err(assemble)?,
            )
            .build()
            .map_err(assemble)?;
        let config = Blob::json(&config)?;
        let manifest = ImageManifestBuilder::default()
            .schema_version(2_u32)
            .media_type(MediaType::ImageManifest)
            .config(config.descriptor(MediaType::ImageConfig)?)
            .layers([layer.descriptor(MediaType::ImageLayer)?])
            .build()
            .map_err(assemble)?;
        let manifest = Blob::json(&manifest)?;
        let mut image = Self {
            contents,
            id: config.digest.clone(),
            archive: Vec::new(),
            layer: layer.bytes.len(),
        };
        image.archive = image.pack([&config, &layer, &manifest], &manifest)?;
        Ok(image)
    }

    /// An OCI image layout, and in the same file the `manifest.json` that Docker has read since 1.10.
    fn pack(&self, blobs: [&Blob; 3], manifest: &Blob) -> Result<Vec<u8>, ImageError> {
        let [config, layer, _] = blobs;
        let index = ImageIndexBuilder::default()
            .schema_version(2_u32)
            .media_type(MediaType::ImageIndex)
            .manifests([manifest.descriptor(MediaType::ImageManifest)?])
            .build()
            .map_err(assemble)?;
        let mut index = serde_json::to_value(index).map_err(assemble)?;
        // Put in here, because the builder's map of them has another order every time.
        index["manifests"][0]["annotations"] = json!({
            "io.containerd.image.name": format!("docker.io/library/{}", self.name()),
            "org.opencontainers.image.ref.name": self.tag(),
        });
        let docker = json!([{
            "Config": config.path(),
            "RepoTags": [self.name()],
            "Layers": [layer.path()],
        }]);
        let layout = OciLayoutBuilder::default()
            .image_layout_version("1.0.0")
            .build()
            .map_err(assemble)?;
        let text = |value: &dyn Fn() -> serde_json::Result<Vec<u8>>| value().map_err(assemble);
        let files = [
            ("index.json", text(&|| serde_json::to_vec(&index))?),
            ("manifest.json", text(&|| serde_json::to_vec::<Value>(&docker))?),
            ("oci-layout", text(&|| serde_json::to_vec(&layout))?),
        ];
        let packed = || {
            let mut tar = tar::Builder::new(Vec::new());
            folder(&mut tar, "blobs/", 0o755)?;
            folder(&mut tar, "blobs/sha256/", 0o755)?;
            for blob in blobs {
                file(&mut tar, &blob.path(), 0o644, &blob.bytes)?;
            }
            for (name, bytes) in &files {
                file(&mut tar, name, 0o644, bytes)?;
            }
            tar.into_inner()
        };
        packed().map_err(assemble)
    }

    /// What it is made for.
    pub(crate) fn contents(&self) -> Contents {
        self.contents
    }

    /// Its name, `rolecall-proxy:0a1b2c3d4e5f`: another program has another tag, so that a name that is there is the image.
    pub(crate) fn name(&self) -> String {
        format!("{}:{}", self.contents.repository(), self.tag())
    }

    /// Its id, `sha256:…`, as Docker calls it: the digest of its configuration, which names the digest of its layer.
    pub(crate) fn id(&self) -> String {
        format!("sha256:{}", self.id)
    }

    /// The bytes that it takes, unpacked.
    pub(crate) fn size(&self) -> usize {
        self.layer
    }

    /// The file for `docker load`.
    pub(crate) fn archive(&self) -> &[u8] {
        &self.archive
    }

    /// Writes the file.
    ///
    /// # Errors
    /// It cannot be written.
    pub(crate) fn write(&self, path: &Path) -> Result<(), ImageError> {
        let write = || {
            if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
                fs::create_dir_all(folder)?;
            }
            fs::write(path, &self.archive)
        };
        write().map_err(|error| ImageError::Write {
            path: path.to_owned(),
            error,
        })
    }

    fn tag(&self) -> &str {
        self.id.get(..TAG).unwrap_or(&self.id)
    }
}

impl fmt::Debug for Image {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Image")
            .field("name", &self.name())
            .field("size", &self.layer)
            .finish_non_exhaustive()
    }
}

// === impl Blob ===

impl Blob {
    fn new(bytes: Vec<u8>) -> Self {
        Self {
            digest: hex::encode(Sha256::digest(&bytes)),
            bytes,
        }
    }

    fn json(of: &impl Serialize) -> Result<Self, ImageError> {
        Ok(Self::new(serde_json::to_vec(of).map_err(assemble)?))
    }

    fn path(&self) -> String {
        format!("blobs/sha256/{}", self.digest)
    }

    fn descriptor(&self, of: MediaType) -> Result<Descriptor, ImageError> {
        DescriptorBuilder::default()
            .media_type(of)
            .size(self.bytes.len() as u64)
            .digest(Sha256Digest::from_str(&self.digest).map_err(assemble)?)
            .build()
            .map_err(assemble)
    }
}

fn assemble(error: impl fmt::Display) -> ImageError {
    ImageError::Assemble(error.to_string())
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeMap, io::Read};

    use super::*;
    use crate::image::elf::tests::program;

    fn files(archive: &[u8]) -> BTreeMap<String, Vec<u8>> {
        let mut tar = tar::Archive::new(archive);
        let entries = tar.entries().expect("entries");
        let read = entries.map(|entry| {
            let mut entry = entry.expect("an entry");
            let mtime = entry.header().mtime().expect("a time");
            assert_eq!(mtime, 0, "no time of the build is in it");
            let mut bytes = Vec::new();
            entry.read_to_end(&mut bytes).expect("its bytes");
            (entry.path().expect("a path").to_string_lossy().into_owned(), bytes)
        });
        read.collect()
    }

    #[test]
    fn the_same_program_gives_the_same_image_byte_for_byte() {
        let of = |program: &[u8]| Image::new(Contents::Proxy, program).expect("an image");
        let (one, same, other) = (of(&program(62, 1)), of(&program(62, 1)), of(&program(62, 2)));
        assert!(one.archive() == same.archive());
        assert_eq!((one.id(), one.name()), (same.id(), same.name()));
        assert_ne!((one.id(), one.name()), (other.id(), other.name()));
    }

    #[test]
    fn docker_and_oci_find_the_same_configuration_and_layer() {
        let image = Image::new(Contents::Tools, &program(62, 1)).expect("an image");
        let files = files(image.archive());
        let json = |name: &str| -> Value { serde_json::from_slice(&files[name]).expect("JSON") };
        let blob = |digest: &Value| {
            let digest = digest
                .as_str()
                .expect("a digest")
                .strip_prefix("sha256:")
                .expect("of SHA-256")
                .to_owned();
            let path = format!("blobs/sha256/{digest}");
            assert_eq!(
                hex::encode(Sha256::digest(&files[&path])),
                digest,
                "the digest is that of the bytes"
            );
            path
        };
        let docker = json("manifest.json");
        assert_eq!(docker[0]["RepoTags"][0], image.name());
        let manifest = json(&blob(&json("index.json")["manifests"][0]["digest"]));
        assert_eq!(blob(&manifest["config"]["digest"]), docker[0]["Config"]);
        assert_eq!(blob(&manifest["layers"][0]["digest"]), docker[0]["Layers"][0]);
        let config = json(docker[0]["Config"].as_str().expect("a path"));
        assert_eq!(config["config"]["Entrypoint"], json!(["/rolecall"]));
        assert_eq!(config["architecture"], "amd64");
        assert_eq!(
            config["rootfs"]["diff_ids"][0], manifest["layers"][0]["digest"],
            "the layer is not compressed"
        );
        let layer = super::super::layer::layer(Contents::Tools, &program(62, 1)).expect("a layer");
        assert_eq!(files[docker[0]["Layers"][0].as_str().expect("a path")], layer);
    }
}
