// BullMQ declares types for its scripts only beside its ES modules, which Node cannot load by themselves.
declare module 'bullmq/dist/cjs/scripts/addPrioritizedJob-9.js' {
  export const addPrioritizedJob: { readonly name: string; readonly content: string; readonly keys: 9 };
}
declare module 'bullmq/dist/cjs/scripts/moveToActive-11.js' {
  export const moveToActive: { readonly name: string; readonly content: string; readonly keys: 11 };
}
declare module 'bullmq/dist/cjs/scripts/moveToFinished-14.js' {
  export const moveToFinished: { readonly name: string; readonly content: string; readonly keys: 14 };
}
