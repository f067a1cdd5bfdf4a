use wasmtime::Result;

/// Things of one kind that an attempt has at a time.
const MOST: usize = 100_000;

/// What a guest has handles of: each under a number, which is used again once it is let go of.
pub struct Slab<T> {
    /// What the things are called in messages.
    name: &'static str,
    items: Vec<Option<T>>,
    free: Vec<u32>,
}

impl<T> Slab<T> {
    pub fn new(name: &'static str) -> Self {
        Slab {
            name,
            items: Vec::new(),
            free: Vec::new(),
        }
    }

    pub fn add(&mut self, item: T) -> Result<u32> {
        let index = match self.free.pop() {
            Some(index) => index,
            None if self.items.len() == MOST => {
                wasmtime::bail!("more than {MOST} {} are in use", self.name)
            }
            None => {
                self.items.push(None);
                self.items.len() as u32 - 1
            }
        };
        self.items[index as usize] = Some(item);
        Ok(index)
    }

    pub fn get(&self, index: u32) -> Result<&T> {
        let item = self.items.get(index as usize).and_then(Option::as_ref);
        item.ok_or_else(|| missing(self.name, index))
    }

    pub fn get_mut(&mut self, index: u32) -> Result<&mut T> {
        let item = self.items.get_mut(index as usize).and_then(Option::as_mut);
        item.ok_or_else(|| missing(self.name, index))
    }

    pub fn remove(&mut self, index: u32) -> Result<T> {
        let item = self.items.get_mut(index as usize).and_then(Option::take);
        let item = item.ok_or_else(|| missing(self.name, index))?;
        self.free.push(index);
        Ok(item)
    }
}

fn missing(name: &str, index: u32) -> wasmtime::Error {
    wasmtime::format_err!("number {index} of the {name} is not there")
}
