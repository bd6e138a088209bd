// The door of throw-away servers.
export { endThrowaways } from './end-throwaways.ts';
export { startThrowaway } from './start-throwaway.ts';
