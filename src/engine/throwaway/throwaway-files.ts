// Names below the folder of a throw-away server.

/** Holds its process id, which the server writes down itself. */
export const PID_FILE = 'throwaway.pid';
export const DATA_FOLDER = 'data';
export const LOG_FILE = 'mongod.log';
