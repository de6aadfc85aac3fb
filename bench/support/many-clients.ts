/** Connections that ask at the same time: a busy gateway's, and what its group commit is made for. */
export const manyClients = 200;
