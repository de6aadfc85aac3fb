import { api } from './api.js';
import { ask, newTopic, whenUsageChanges } from './answers.js';
import { byId, notice } from './dom.js';
import { Events } from './events.js';
import { addManual, refreshManuals } from './manuals.js';
import { signIn, signOut, signedIn } from './session.js';

const events = new Events();

/** A handler that may wait; what goes wrong is shown. */
const waiting = (work) => (event) => {
  work(event).catch((error) => notice(error.message));
};

function showUsage({ daily_used, daily_limit }) {
  const usage = byId('usage');
  usage.textContent = `${daily_used} of ${daily_limit} questions today`;
  usage.hidden = false;
}

async function open() {
  byId('sign-in').hidden = true;
  byId('app').hidden = false;
  byId('sign-out').hidden = false;
  await events.start();
  await refreshManuals();
  showUsage((await api('GET', '/api/user/usage')).body);
  byId('question').focus();
}

function close() {
  events.stop();
  signOut();
  location.reload();
}

async function submitSignIn(event) {
  event.preventDefault();
  notice();
  await signIn(byId('username').value, byId('password').value);
  await open();
}
byId('sign-in-form').addEventListener('submit', waiting(submitSignIn));
byId('sign-out').addEventListener('click', close);

async function submitQuestion(event) {
  event.preventDefault();
  const question = byId('question').value.trim();
  if (question === '') return;
  notice();
  byId('question').value = '';
  byId('send').disabled = true;
  await ask(question, byId('persona').value, events);
  byId('send').disabled = false;
  byId('question').focus();
}
byId('ask').addEventListener('submit', waiting(submitQuestion));
byId('question').addEventListener('keydown', (event) => {
  if (event.key === 'Enter' && !event.shiftKey && !event.isComposing) {
    event.preventDefault();
    if (!byId('send').disabled) byId('ask').requestSubmit();
  }
});
byId('new').addEventListener('click', () => {
  newTopic();
  byId('log').replaceChildren();
  byId('question').focus();
});

const addAll = async (files) => {
  for (const file of files) await addManual(file, events);
};
async function chooseFiles({ target }) {
  await addAll([...target.files]);
  target.value = '';
}
byId('file').addEventListener('change', waiting(chooseFiles));
const drop = byId('drop');
drop.addEventListener('dragover', (event) => {
  event.preventDefault();
  drop.classList.add('over');
});
drop.addEventListener('dragleave', () => drop.classList.remove('over'));
async function dropFiles(event) {
  event.preventDefault();
  drop.classList.remove('over');
  await addAll([...event.dataTransfer.files]);
}
drop.addEventListener('drop', waiting(dropFiles));

whenUsageChanges(showUsage);
if (signedIn()) {
  open().catch((error) => {
    notice(error.message);
    signOut();
    byId('sign-in').hidden = false;
    byId('app').hidden = true;
  });
} else {
  byId('sign-in').hidden = false;
  byId('username').focus();
}
