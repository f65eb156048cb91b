//! From the bytes of a component to a version that can run.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use botyard_kernel::id::{Digest, TenantId};
use tokio::sync::{OnceCell, mpsc};

use crate::artefact::{Artefact, Staged, Swept};
use crate::bindings::v1::BotPre;
use crate::child::{Compiler, Heard};
use crate::compile::Facts;
use crate::config::CompileLimits;
use crate::jail::Bar;
use crate::load_error::LoadError;
use crate::phase::Phase;
use crate::queue::Reason;
use crate::runtime::Runtime;
use crate::slice::SharedPaces;
use crate::tier::Tier;
use crate::turn::Turn;
use crate::upload::Upload;
use crate::version::Version;

/// How long the compiler may take to say what its jail consists of.
const ASK_WALL: Duration = Duration::from_secs(10);

/// What is known of the compiling child.
#[derive(Debug, Default)]
pub(crate) struct CompilerState {
    asked: OnceCell<()>,
    last: Mutex<CompilerReport>,
}

/// What the last compilation showed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct CompilerReport {
    /// Whether it got an answer, or why not; nothing before the first one.
    pub(crate) answers: Option<Result<(), String>>,
    /// What its jail consisted of.
    pub(crate) jail: Vec<Bar>,
}

impl CompilerState {
    /// What the last compilation showed.
    pub(crate) fn report(&self) -> CompilerReport {
        self.last.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn remember(&self, heard: &Heard) {
        let answers = match &heard.compiled {
            Err(LoadError::Host(why)) => Err(why.clone()),
            Ok(_) | Err(_) => Ok(()),
        };
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        last.answers = Some(answers);
        // One that died before it could say so has the jail of the one before.
        if !heard.jail.is_empty() {
            last.jail.clone_from(&heard.jail);
        }
    }
}

impl Runtime {
    /// Checks a component, compiles it where that was not done before, links it
    /// and makes one instance, so that its first turn is as sure as the others. What
    /// is linked is not kept, as it may never run. Each phase is told when it begins.
    ///
    /// The tier is decided by what the component is: interpreted where it has the code
    /// of an interpreter, native otherwise. That a tool signed it is not enough.
    ///
    /// A load that was begun goes on to its end, also where this future is dropped.
    /// What is refused leaves nothing on disk.
    ///
    /// # Errors
    ///
    /// A sentence for who uploaded it; [`LoadError::blame`] says who must act.
    pub async fn load(
        self: &Arc<Self>,
        wasm: &[u8],
        tenant: &TenantId,
        progress: &(dyn Fn(Phase) + Send + Sync),
    ) -> Result<Version, LoadError> {
        self.load_upload(&wasm.into(), tenant, progress).await
    }

    /// As [`Runtime::load`], for bytes that may lie in a file.
    ///
    /// # Errors
    ///
    /// As [`Runtime::load`].
    pub async fn load_upload(
        self: &Arc<Self>,
        upload: &Upload,
        tenant: &TenantId,
        progress: &(dyn Fn(Phase) + Send + Sync),
    ) -> Result<Version, LoadError> {
        self.load_for(Reason::Uploaded, upload, tenant, progress).await
    }

    /// As [`Runtime::load`], for a version that answers already and was compiled for
    /// other engines: it goes before all uploads.
    ///
    /// # Errors
    ///
    /// As [`Runtime::load`].
    pub async fn load_deployed(
        self: &Arc<Self>,
        wasm: &[u8],
        tenant: &TenantId,
    ) -> Result<Version, LoadError> {
        self.load_for(Reason::Deployed, &wasm.into(), tenant, &|_| {}).await
    }

    /// A version that was compiled before for these engines, by its digest and
    /// without its bytes; nothing where it was not, and [`Runtime::load`] is needed.
    /// It is rehearsed as there, and stays linked for its first turn.
    ///
    /// # Errors
    ///
    /// As [`Runtime::load`].
    pub async fn open(self: &Arc<Self>, digest: Digest) -> Result<Option<Version>, LoadError> {
        let this = self.clone();
        self.follow(&|_| {}, move |tell| async move {
            let Some(version) = this.find(digest).await? else { return Ok(None) };
            let linked = this.linked(&version).await?;
            this.rehearse(&version, &linked, &tell).await?;
            Ok(Some(version))
        })
        .await
    }

    /// All compiled components on disk with their sizes, also those of other engines.
    /// Blocks.
    ///
    /// # Errors
    ///
    /// Where the directory of artefacts cannot be read.
    pub fn artefacts(&self) -> anyhow::Result<Vec<Artefact>> {
        self.artefacts.list()
    }

    /// Deletes compiled components that are not of `keep` and that nobody has loaded
    /// for so long, and says what it was; let it be long enough for an upload to be
    /// recorded. What other engines have compiled goes after a month without use also
    /// where it is of `keep`, and what a host had begun to write when it died after
    /// the same time. A version that is loaded stays loaded. Blocks.
    ///
    /// # Errors
    ///
    /// Where the directory of artefacts cannot be changed.
    pub fn sweep_artefacts(
        &self,
        keep: &BTreeSet<Digest>,
        unused_for: Duration,
    ) -> anyhow::Result<Swept> {
        self.artefacts.sweep(keep, unused_for)
    }

    /// Sees to it that [`Runtime::safety`] knows of the compiler's jail: starts the
    /// compiler with nothing to compile. The runtime does so itself when it starts;
    /// this waits for it.
    pub async fn ask_compiler(&self) {
        let ask = async {
            let wall = self.config.compile.wall.min(ASK_WALL);
            let limits = CompileLimits { wall, ..self.config.compile };
            let heard = self.compiler(&limits).compile(&Upload::from([].as_slice()), &|_| {}).await;
            self.compiler.remember(&heard);
        };
        self.compiler.asked.get_or_init(|| ask).await;
    }

    async fn load_for(
        self: &Arc<Self>,
        reason: Reason,
        upload: &Upload,
        tenant: &TenantId,
        progress: &(dyn Fn(Phase) + Send + Sync),
    ) -> Result<Version, LoadError> {
        self.check_size(upload)?;
        let (this, upload, tenant) = (self.clone(), upload.clone(), tenant.clone());
        self.follow(progress, move |tell| async move {
            let (version, staged) = this.compiled(reason, &upload, &tenant, &tell).await?;
            let linked = this.link(&version).await?;
            this.rehearse(&version, &linked, &tell).await?;
            this.keep(staged).await?;
            Ok(version)
        })
        .await
    }

    /// Does work on the runtime's own threads, so that any caller may wait for it,
    /// and passes on how far it is.
    async fn follow<T, F>(
        &self,
        progress: &(dyn Fn(Phase) + Send + Sync),
        work: impl FnOnce(Tell) -> F,
    ) -> Result<T, LoadError>
    where
        T: Send + 'static,
        F: Future<Output = Result<T, LoadError>> + Send + 'static,
    {
        let (tell, mut told) = mpsc::unbounded_channel();
        let working = self.executor.spawn(work(Tell(tell)));
        // It ends when the work drops its end.
        while let Some(phase) = told.recv().await {
            progress(phase);
        }
        working.await.map_err(LoadError::host)?
    }

    fn check_size(&self, upload: &Upload) -> Result<(), LoadError> {
        let most = self.config.native.limits.component_bytes;
        let limit = self.config.interpreted.limits.component_bytes.max(most);
        let bytes = upload.bytes();
        match bytes > limit {
            true => Err(LoadError::TooLarge { bytes, limit, tier: Tier::Interpreted }),
            false => Ok(()),
        }
    }

    /// The compiled form, made where it was not there: then it is still to be kept.
    async fn compiled(
        self: &Arc<Self>,
        reason: Reason,
        upload: &Upload,
        tenant: &TenantId,
        tell: &Tell,
    ) -> Result<(Version, Option<Staged>), LoadError> {
        // Who starts up should know what protects it before it serves anybody.
        self.ask_compiler().await;
        let digest = *upload.digest();
        if let Some(version) = self.find(digest).await? {
            return Ok((version, None));
        }
        tell.phase(Phase::Waiting);
        let _place = self.compiling.place(tenant, reason).await;
        // Somebody else may have uploaded the same bytes meanwhile.
        if let Some(version) = self.find(digest).await? {
            return Ok((version, None));
        }
        tell.phase(Phase::Checking);
        let compiler = self.compiler(&self.config.compile);
        let heard = compiler.compile(upload, &|phase| tell.phase(phase)).await;
        self.compiler.remember(&heard);
        let (facts, artefact) = heard.compiled?;
        let this = self.clone();
        let stage = move || {
            let staged = this.artefacts.stage(&digest, facts.clone(), &artefact)?;
            Ok((version_of(digest, facts, staged.open()?), Some(staged)))
        };
        let staged = self.executor.spawn_blocking(stage).await.map_err(LoadError::host)?;
        staged.map_err(|error: anyhow::Error| LoadError::host(error))
    }

    /// From here on it is found without compiling.
    async fn keep(self: &Arc<Self>, staged: Option<Staged>) -> Result<(), LoadError> {
        let Some(staged) = staged else { return Ok(()) };
        let this = self.clone();
        let keep = move || this.artefacts.keep(staged);
        let kept = self.executor.spawn_blocking(keep).await.map_err(LoadError::host)?;
        kept.map_err(LoadError::host)
    }

    fn compiler<'a>(&'a self, limits: &'a CompileLimits) -> Compiler<'a> {
        Compiler { command: &self.config.compiler, limits, task: &self.task }
    }

    /// A version that was compiled before.
    async fn find(self: &Arc<Self>, digest: Digest) -> Result<Option<Version>, LoadError> {
        // Each is read to its end, to see that it is ours.
        let _reads = self.reading.acquire().await.map_err(LoadError::host)?;
        let this = self.clone();
        let find = move || this.artefacts.get(&digest);
        let found = self.executor.spawn_blocking(find).await.map_err(LoadError::host)?;
        Ok(found.map(|(facts, code)| version_of(digest, facts, code)))
    }

    /// Makes one instance of a version.
    async fn rehearse(
        &self,
        version: &Version,
        linked: &BotPre<Turn>,
        tell: &Tell,
    ) -> Result<(), LoadError> {
        let tier = self.tier(version.tier);
        tell.phase(Phase::Rehearsing);
        // An instance takes a slot, and slots belong to who has a permit.
        let _permit = tier.gate.permit(&TenantId::from("the host itself")).await;
        tier.rules.rehearse(&tier.linker.engine, linked).await
    }
}

/// Says how far a load is, to whoever still listens.
struct Tell(mpsc::UnboundedSender<Phase>);

impl Tell {
    fn phase(&self, phase: Phase) {
        let _ = self.0.send(phase);
    }
}

fn version_of(digest: Digest, facts: Facts, code: std::fs::File) -> Version {
    Version {
        digest,
        tier: facts.tier,
        manifest: facts.manifest.map(Arc::new),
        component_bytes: facts.component_bytes,
        imports: facts.imports.into(),
        linked_bytes: facts.linked_bytes,
        code: Arc::new(code),
        paces: SharedPaces::default(),
    }
}
