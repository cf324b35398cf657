/** RTMP message type ids (RTMP 1.0 sections 5.4 and 7.1). */
export const USER_CONTROL = 4;
export const WINDOW_ACK_SIZE = 5;
export const PEER_BANDWIDTH = 6;
export const AUDIO = 8;
export const VIDEO = 9;
export const DATA_AMF3 = 15;
export const COMMAND_AMF3 = 17;
export const DATA_AMF0 = 18;
export const COMMAND_AMF0 = 20;
