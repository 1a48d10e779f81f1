// What asks the engine, in a module of its own so that it is loaded with the first request.

export { Agent, request } from 'undici';
