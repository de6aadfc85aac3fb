type Task = () => void;

/** First whatever gathers commands, then whatever sends them, so that both share one turn. */
const stages = ['gather', 'send'] as const;
type Stage = (typeof stages)[number];

let waiting: Record<Stage, Task[]> = { gather: [], send: [] };
let scheduled = false;

function run(): void {
  scheduled = false;
  for (const stage of stages) {
    const tasks = waiting[stage];
    waiting[stage] = [];
    for (const task of tasks) task();
  }
}

/**
 * Runs the task once all that has arrived on any socket in this turn of the event loop has been handled: what many requests
 * want at one time can go out together, and a lone one waits for nothing. The task must not throw.
 */
export function atEndOfTurn(stage: Stage, task: Task): void {
  waiting[stage].push(task);
  if (scheduled) return;
  scheduled = true;
  setImmediate(run);
}
