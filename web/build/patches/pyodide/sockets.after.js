Promise.resolve({})
