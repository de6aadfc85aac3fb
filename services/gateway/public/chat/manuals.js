import { api, contentLink } from './api.js';
import { byId, make, notice } from './dom.js';

const types = {
  pdf: 'application/pdf',
  docx: 'application/vnd.openxmlformats-officedocument.wordprocessingml.document',
  html: 'text/html',
  htm: 'text/html',
  txt: 'text/plain',
  md: 'text/markdown',
  csv: 'text/csv',
};
const steps = {
  queued: 'waiting',
  received: 'received',
  fetching: 'fetching',
  checking: 'checking',
  storing: 'storing',
  indexing: 'indexing',
  ready: 'ready',
};
const size = (bytes) => (bytes < 1_000_000 ? `${Math.ceil(bytes / 1000)} kB` : `${(bytes / 1_000_000).toFixed(1)} MB`);

/** Opens a manual at a page in a tab of its own. */
export async function openManual(manualId, page) {
  // Opened before anything is awaited, or the browser takes it for a pop-up.
  const tab = window.open('about:blank', '_blank');
  try {
    const link = await contentLink(manualId);
    if (tab) {
      tab.opener = null;
      tab.location.href = page ? `${link}#page=${page}` : link;
    }
  } catch (error) {
    tab?.close();
    notice(error.message);
  }
}

function row(manual, refresh) {
  const facts = make('div', { className: 'facts' });
  if (manual.status === 'failed')
    facts.append(make('span', { className: 'bad', text: manual.error?.detail ?? 'failed' }));
  else if (manual.status === 'ready')
    facts.append(make('span', { text: `${manual.pages} pages, ${size(manual.bytes)}` }));
  else facts.append(make('span', { text: manual.status }));
  if (manual.status !== 'deleting') {
    const remove = async () => {
      if (!confirm(`Delete ${manual.filename}?`)) return;
      try {
        await api('DELETE', `/api/manuals/${manual.manual_id}`);
      } catch (error) {
        notice(error.message);
      }
      await refresh();
    };
    const label = `Delete ${manual.filename}`;
    facts.append(make('button', { className: 'quiet', text: 'Delete', 'aria-label': label, onclick: remove }));
  }
  const name =
    manual.status === 'ready'
      ? make('button', { className: 'name', text: manual.filename, onclick: () => openManual(manual.manual_id) })
      : make('span', { className: 'name', text: manual.filename });
  return make('li', {}, name, facts);
}

/** Shows the list as it is now. */
export async function refreshManuals() {
  try {
    const { body } = await api('GET', '/api/manuals?limit=100');
    byId('manuals').replaceChildren(...body.items.map((manual) => row(manual, refreshManuals)));
    byId('no-manuals').hidden = body.items.length > 0;
  } catch (error) {
    notice(error.message);
  }
}

/** Puts the bytes to the store with a bar that moves. */
function put(upload, file, onProgress) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open(upload.method, upload.url);
    for (const [name, value] of Object.entries(upload.headers)) {
      // A browser sets its length by itself and lets nobody else.
      if (name.toLowerCase() !== 'content-length') request.setRequestHeader(name, value);
    }
    request.upload.addEventListener('progress', ({ loaded, total }) => onProgress(loaded / total));
    request.addEventListener('load', () =>
      request.status < 300 ? resolve() : reject(new Error(`The upload was refused (${request.status}).`)),
    );
    request.addEventListener('error', () => reject(new Error('The upload broke off. Try again.')));
    request.send(file);
  });
}

/** Uploads a file and follows it until it can be asked. `events` tells how its job goes. */
export async function addManual(file, events) {
  const state = make('span', { text: 'uploading' });
  const bar = make('progress', { max: '100', value: '0', 'aria-label': `Progress of ${file.name}` });
  const facts = make('div', { className: 'facts' }, state);
  const item = make('li', {}, make('span', { className: 'name', text: file.name }), bar, facts);
  byId('uploads').append(item);
  const fail = (message) => {
    state.textContent = message;
    state.className = 'bad';
    bar.remove();
    facts.append(make('button', { className: 'quiet', text: 'Dismiss', onclick: () => item.remove() }));
  };
  try {
    const extension = file.name.split('.').pop()?.toLowerCase() ?? '';
    const type = types[extension];
    if (!type) throw new Error('This type is not supported. Choose a PDF, DOCX, HTML, TXT, Markdown or CSV file.');
    const announced = await api('POST', '/api/uploads', {
      kind: 'manual',
      content_type: type,
      size: file.size,
      filename: file.name,
    });
    await put(announced.body, file, (share) => (bar.value = share * 30));
    const { status, body } = await api('POST', '/api/manuals/upload', {
      upload_id: announced.body.upload_id,
      filename: file.name,
    });
    if (status === 202)
      await follow(body, events, (progress) => {
        bar.value = 30 + progress.percent * 0.7;
        state.textContent = steps[progress.step] ?? progress.step;
      });
    item.remove();
  } catch (error) {
    fail(error.message);
  }
  await refreshManuals();
}

/** Resolves when the job has completed; rejects with its reason when it ends otherwise. */
function follow(job, events, onProgress) {
  return new Promise((resolve, reject) => {
    const look = (seen) => {
      onProgress(seen.progress);
      if (seen.status === 'completed') finish(resolve);
      else if (['failed', 'cancelled', 'expired'].includes(seen.status)) {
        finish(() => reject(new Error(seen.error?.detail ?? `The job was ${seen.status}.`)));
      }
    };
    const stop = events.listen((message) => {
      if (message.type === 'progress' && message.job_id === job.id) onProgress(message.progress);
      if (message.type === 'job' && message.job.id === job.id) look(message.job);
    });
    // Events are quick but may be missed while offline; the job itself never lies.
    const timer = setInterval(() => {
      api('GET', `/api/jobs/${job.id}`).then(
        ({ body }) => look(body),
        () => undefined,
      );
    }, 5000);
    const finish = (end) => {
      stop();
      clearInterval(timer);
      end();
    };
    look(job);
  });
}

export { follow };
