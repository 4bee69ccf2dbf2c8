/**
 * The list after an event, newest first. The page and the application use the same one. Seeing an event twice makes no
 * difference, so that it does not matter what of it is in a list that was fetched in between.
 */
export function reduce(list, { topic, data }) {
  switch (topic) {
    case 'added':
      return list.some(({ id }) => id === data.id) ? list : [data, ...list];
    case 'read':
      return list.map((one) => (data.ids.includes(one.id) ? { ...one, isRead: true } : one));
    case 'all':
      return data;
    default:
      return list;
  }
}
